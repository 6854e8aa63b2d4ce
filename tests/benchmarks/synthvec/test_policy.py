import json

import pytest

from emocal_rl.benchmarks.synthvec.policy import create_tiny_policy
from emocal_rl.benchmarks.synthvec.tokenizer import SPECIAL_TOKENS
from emocal_rl.benchmarks.synthvec.vocabulary import vocabulary_texts
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.data.vec_cot import read_vec_cot


@pytest.fixture(scope="module")
def texts():
    return list(vocabulary_texts())


@pytest.fixture(scope="module")
def policy(tmp_path_factory, texts):
    directory = tmp_path_factory.mktemp("policy")
    create_tiny_policy(directory, texts, seed=0)
    return directory


@pytest.fixture(scope="module")
def processor(policy):
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(policy)


def test_every_response_survives_the_tokenizer(processor, small_world):
    tokenizer = processor.tokenizer
    lengths = []
    for demonstration in read_vec_cot(str(small_world.pretrain)):
        ids = tokenizer(demonstration.response).input_ids
        assert tokenizer.decode(ids) == demonstration.response
        lengths.append(len(ids))
    assert 32 < sum(lengths) / len(lengths) < 40


@pytest.mark.parametrize(
    "text", ["", "naïve 感情 🙂", "<<think>>", "a\n\n  b\t", "'], ['", "<|im_end|>", "</nonsense>"]
)
def test_any_text_survives_the_tokenizer(processor, text):
    assert processor.tokenizer.decode(processor.tokenizer(text).input_ids) == text


def test_two_decimals_are_four_tokens_and_tags_between_texts_one(processor):
    response = "<think><element>plain</element><human>bent</human><context>cold</context>"
    response += "<interaction>tiny</interaction><analysis>bad</analysis></think><answer>awe</answer>"
    assert processor.tokenizer.tokenize(response + "<confidence>0.85</confidence>") == [
        *("<think><element>", "plain", "</element><human>", "bent", "</human><context>", "cold"),
        *("</context><interaction>", "tiny", "</interaction><analysis>", "bad", "</analysis></think><answer>", "awe"),
        *("</answer>", "<confidence>", "0", ".", "8", "5", "</confidence>"),
    ]


def test_a_label_is_the_same_token_in_question_and_answer(processor):
    assert "awe" in processor.tokenizer.tokenize("['amusement', 'awe']")


def test_a_prompt_is_short_and_an_image_nine_tokens(processor, small_world):
    from PIL import Image

    sample = next(sample for sample in read_samples(str(small_world.test)) if len(sample.candidates) == 8)
    content = [{"type": "image"}, {"type": "text", "text": sample.question}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    assert text == (
        f"<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>{sample.question}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    inputs = processor(text=[text], images=[Image.open(sample.images[0])], return_tensors="pt")
    image_id = processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    assert (inputs["input_ids"] == image_id).sum() == 9
    assert inputs["input_ids"].shape[1] < 55


def test_text_messages_render_as_turns(processor):
    messages = [{"role": role, "content": role[0]} for role in ("system", "user", "assistant")]
    assert processor.apply_chat_template(messages) == (
        "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n"
    )


@pytest.mark.parametrize("tied", [True, False])
def test_it_is_a_plain_transformers_model(tmp_path, texts, processor, tied):
    import torch
    from PIL import Image
    from transformers import AutoModelForImageTextToText, Qwen2_5_VLForConditionalGeneration

    create_tiny_policy(tmp_path, texts, seed=0, tie_word_embeddings=tied)
    model = AutoModelForImageTextToText.from_pretrained(tmp_path)
    assert isinstance(model, Qwen2_5_VLForConditionalGeneration)
    assert 1.0e6 < model.num_parameters() < 1.2e6
    assert (model.lm_head.weight.data_ptr() == model.get_input_embeddings().weight.data_ptr()) is tied
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    text = "<|vision_start|><|image_pad|><|vision_end|>Which?"
    images = [Image.new("RGB", (84, 84), color) for color in ("black", "white")]
    inputs = processor(text=[text, text], images=images, return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits
    assert logits.shape == (*inputs["input_ids"].shape, len(processor.tokenizer))
    assert not torch.equal(logits[0], logits[1])


def test_token_ids_are_wired_into_the_configs(policy, processor):
    config = json.loads((policy / "config.json").read_text())
    generation = json.loads((policy / "generation_config.json").read_text())
    ids = {token: processor.tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    assert len(set(ids.values())) == len(SPECIAL_TOKENS)
    assert config["image_token_id"] == ids["<|image_pad|>"]
    assert config["video_token_id"] == ids["<|video_pad|>"]
    assert config["vision_start_token_id"] == ids["<|vision_start|>"]
    assert config["vision_end_token_id"] == ids["<|vision_end|>"]
    assert generation["eos_token_id"] == [ids["<|im_end|>"], ids["<|endoftext|>"]]
    assert processor.tokenizer.eos_token == "<|im_end|>"


def test_the_seed_decides_the_weights(policy, texts, tmp_path):
    create_tiny_policy(tmp_path / "same", vocabulary_texts(), seed=0)  # the same texts again
    create_tiny_policy(tmp_path / "other", texts, seed=1)
    for name in ("model.safetensors", "tokenizer.json"):
        assert (tmp_path / "same" / name).read_bytes() == (policy / name).read_bytes()
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != (policy / "model.safetensors").read_bytes()
