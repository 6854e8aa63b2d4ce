import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from emocal_rl.actors import policy_model
from emocal_rl.actors.policy_model import PolicyModel, load_policy, load_processor
from emocal_rl.actors.sequence_batch import EncodedSequence, SequenceBatch, collate
from emocal_rl.actors.sequence_encoding import SequenceEncoder
from emocal_rl.platform.config.model import ModelConfig
from emocal_rl.platform.data.images import ImageLimits
from emocal_rl.platform.errors import EngineError, ModelError

CPU = torch.device("cpu")
SUPPRESSED = (3, 4, 6)
PLACEHOLDER = "<|vision_start|><|image_pad|><|vision_end|>"
ONE_IMAGE = f"<|im_start|>user\n{PLACEHOLDER}Which emotion?<|im_end|>\n<|im_start|>assistant\n"
TWO_IMAGES = f"<|im_start|>user\n{PLACEHOLDER} or {PLACEHOLDER}Which awe?<|im_end|>\n<|im_start|>assistant\n"


def png(width: int, height: int, seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


PROMPTS = [(ONE_IMAGE, [png(84, 84, 0)]), (TWO_IMAGES, [png(56, 84, 1), png(84, 56, 2)])]


@pytest.fixture(scope="module")
def policy(tiny_policy: Path) -> PolicyModel:
    return load_policy(tiny_policy, ModelConfig(), device=CPU)


@pytest.fixture(scope="module")
def encoder(tiny_policy: Path) -> SequenceEncoder:
    return SequenceEncoder(load_processor(tiny_policy, ModelConfig()), ImageLimits())


@pytest.fixture(scope="module")
def sequences(encoder: SequenceEncoder) -> list[EncodedSequence]:
    """Four responses of different lengths: two to each prompt."""
    rng = np.random.default_rng(0)
    prompts = [encoder.encode_rendered_prompt(text, images) for text, images in PROMPTS]
    return [
        EncodedSequence(prompts[index // 2], torch.from_numpy(rng.integers(20, 400, length)))
        for index, length in enumerate((4, 11, 7, 1))
    ]


def hugging_face_inputs(encoder: SequenceEncoder, index: int) -> dict[str, Any]:
    text, images = PROMPTS[index]
    opened = [Image.open(io.BytesIO(image)) for image in images]
    return dict(encoder.processor(text=[text], images=opened, return_tensors="pt"))


@pytest.mark.parametrize("index", [0, 1])
def test_prompts_and_positions_equal_hugging_face(encoder: SequenceEncoder, policy: PolicyModel, index: int) -> None:
    text, images = PROMPTS[index]
    theirs = hugging_face_inputs(encoder, index)
    positions, _ = policy.hf.model.get_rope_index(
        theirs["input_ids"], theirs["mm_token_type_ids"], theirs["image_grid_thw"]
    )
    ours = encoder.encode_rendered_prompt(text, images)
    assert torch.equal(ours.token_ids, theirs["input_ids"][0])
    assert torch.equal(ours.position_ids, positions[:, 0])
    again = encoder.encode_prompt(ours.token_ids.numpy().astype(np.int32), images)
    assert torch.equal(again.position_ids, ours.position_ids)


def test_logprobs_equal_hugging_face_one_sequence_at_a_time(
    policy: PolicyModel, encoder: SequenceEncoder, sequences: list[EncodedSequence]
) -> None:
    batch = collate(sequences)
    assert len(batch.image_grid_thw) == 3  # type: ignore[arg-type]
    with torch.no_grad():
        ours = batch.split(policy(batch, 0.7, SUPPRESSED))
        for index, (sequence, logprobs) in enumerate(zip(sequences, ours, strict=True)):
            inputs = hugging_face_inputs(encoder, index // 2)
            inputs["input_ids"] = torch.cat([inputs["input_ids"], sequence.response_ids[None]], -1)
            inputs["mm_token_type_ids"] = (inputs["input_ids"] == encoder.processor.image_token_id).int()
            del inputs["attention_mask"]
            logits = policy.hf(**inputs).logits[0, len(sequence.prompt.token_ids) - 1 : -1]
            logits[:, list(SUPPRESSED)] = -torch.inf
            taken = sequence.response_ids[:, None]
            expected = (logits / 0.7).log_softmax(-1).gather(-1, taken)[:, 0].numpy()
            np.testing.assert_allclose(logprobs, expected, atol=5e-6)


def test_logits_in_chunks_give_the_same_logprobs_and_gradients(
    policy: PolicyModel, sequences: list[EncodedSequence], monkeypatch: pytest.MonkeyPatch
) -> None:
    def scored(batch: SequenceBatch) -> tuple[torch.Tensor, torch.Tensor]:
        policy.zero_grad()
        logprobs = policy(batch, 1.0, SUPPRESSED)
        logprobs.square().sum().backward()
        gradient = policy.hf.model.visual.patch_embed.proj.weight.grad
        return logprobs.detach(), gradient.clone()

    whole = scored(collate(sequences))
    monkeypatch.setattr(policy_model, "_LOGITS_PER_CHUNK", 5 * policy.hf.config.get_text_config().vocab_size)
    for one, other in zip(whole, scored(collate(sequences)), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
    policy.zero_grad()


def test_the_distribution_holds_the_taken_logprobs(policy: PolicyModel, sequences: list[EncodedSequence]) -> None:
    batch = collate(sequences)
    with torch.no_grad():
        distribution = policy(batch, 1.0, SUPPRESSED, distribution=True)
        taken = policy(batch, 1.0, SUPPRESSED)
    assert distribution.exp().sum(-1) == pytest.approx(1.0, abs=1e-5)
    torch.testing.assert_close(distribution.gather(-1, batch.response_ids[:, None])[:, 0], taken)
    assert torch.isneginf(distribution[:, list(SUPPRESSED)]).all()


def test_a_prompt_that_does_not_fit_its_images_is_refused(encoder: SequenceEncoder) -> None:
    prompt = encoder.encode_rendered_prompt(*PROMPTS[0])
    with pytest.raises(EngineError, match="9 image tokens, its 1 image"):
        encoder.encode_prompt(prompt.token_ids.numpy(), [png(56, 56, 3)])


def test_pixel_limits_of_the_configuration_apply(tiny_policy: Path) -> None:
    processor = load_processor(tiny_policy, ModelConfig(min_pixels=784, max_pixels=56 * 56))
    prompt = SequenceEncoder(processor, ImageLimits()).encode_rendered_prompt(*PROMPTS[0])
    assert int((prompt.token_ids == processor.image_token_id).sum()) == 4


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("config.json", "no model configuration"),
        ("model.safetensors", "no weights"),
        ("tokenizer.json", "no tokenizer"),
        ("*processor_config.json", "no image processor"),
    ],
)
def test_an_incomplete_checkpoint_is_one_clear_error(
    tiny_policy: Path, tmp_path: Path, missing: str, message: str
) -> None:
    shutil.copytree(tiny_policy, tmp_path / "model")
    for file in (tmp_path / "model").glob(missing):
        file.unlink()
    with pytest.raises(ModelError, match=message):
        load_policy(tmp_path / "model", ModelConfig(), device=CPU)


def test_another_architecture_or_damaged_weights_are_one_clear_error(tiny_policy: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such directory"):
        load_processor(tmp_path / "nothing", ModelConfig())
    shutil.copytree(tiny_policy, tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="weights cannot be loaded"):
        load_policy(tmp_path / "model", ModelConfig(), device=CPU)
    partial = load_file(tiny_policy / "model.safetensors")
    del partial["model.norm.weight"]
    save_file(partial, weights, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="1 parameters are missing"):
        load_policy(tmp_path / "model", ModelConfig(), device=CPU)
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    (tmp_path / "model" / "config.json").write_text(json.dumps({**config, "model_type": "llava"}))
    with pytest.raises(ModelError, match="'llava' is not supported"):
        load_policy(tmp_path / "model", ModelConfig(), device=CPU)
