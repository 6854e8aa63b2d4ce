"""A Qwen2.5-VL of about a million parameters: the real architecture, small enough to train on one CPU core."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emocal_rl.actors.rollout.torchvision_shim import prepare_imports
from emocal_rl.benchmarks.synthvec.drawing import IMAGE_SIZE_PX
from emocal_rl.benchmarks.synthvec.tokenizer import train_tokenizer

_PATCH_PX, _MERGE = 14, 2


def create_tiny_policy(directory: Path, texts: Iterable[str], *, seed: int, tie_word_embeddings: bool = True) -> None:
    """Write the untrained policy as a Hugging Face directory: config, weights (float32), tokenizer, processor.

    Args:
        directory: where to; loads with `AutoModelForImageTextToText` and `AutoProcessor`, and in vLLM.
        texts: questions and responses the tokenizer is trained on.
        seed: of the random weights.
        tie_word_embeddings: share the embedding matrix with the language-model head.
    """
    prepare_imports()
    import torch
    from transformers import GenerationConfig, Qwen2_5_VLForConditionalGeneration

    processor = _processor(texts)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen2_5_VLForConditionalGeneration(_model_config(processor.tokenizer, tie_word_embeddings))
    end, pad = processor.tokenizer.eos_token_id, processor.tokenizer.pad_token_id
    model.generation_config = GenerationConfig(eos_token_id=[end, pad], pad_token_id=pad, do_sample=True)
    model.save_pretrained(directory)
    processor.save_pretrained(directory)
    processor.image_processor.save_pretrained(directory)  # preprocessor_config.json, for readers older than version 5


def _processor(texts: Iterable[str]) -> Any:
    from transformers import Qwen2_5_VLProcessor, Qwen2VLImageProcessor, Qwen2VLVideoProcessor

    tokenizer = train_tokenizer(texts)
    # No image costs more than the nine tokens of the world's own; smaller ones are scaled up to four.
    size = {"shortest_edge": (2 * _PATCH_PX * _MERGE) ** 2, "longest_edge": IMAGE_SIZE_PX**2}
    shape = {"size": size, "patch_size": _PATCH_PX, "merge_size": _MERGE}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**shape),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**shape),
        chat_template=tokenizer.chat_template,
    )


def _model_config(tokenizer: Any, tie_word_embeddings: bool) -> Any:
    from transformers import Qwen2_5_VLConfig

    def token_id(token: str) -> int:
        return int(tokenizer.convert_tokens_to_ids(token))

    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 6, 6]},
        "bos_token_id": None,
        "eos_token_id": token_id("<|im_end|>"),
        "pad_token_id": token_id("<|endoftext|>"),
        "tie_word_embeddings": tie_word_embeddings,
    }
    vision = {
        "depth": 2,
        "hidden_size": 96,
        "intermediate_size": 192,
        "num_heads": 4,
        "out_hidden_size": text["hidden_size"],
        "patch_size": _PATCH_PX,
        "spatial_merge_size": _MERGE,
        "fullatt_block_indexes": [1],
    }
    return Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=token_id("<|image_pad|>"),
        video_token_id=token_id("<|video_pad|>"),
        vision_start_token_id=token_id("<|vision_start|>"),
        vision_end_token_id=token_id("<|vision_end|>"),
        tie_word_embeddings=tie_word_embeddings,
        dtype="float32",
    )
