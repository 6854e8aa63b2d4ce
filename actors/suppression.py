from typing import Any

_IMAGE_MARKERS = (
    *("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>"),  # Qwen-VL
    *("<IMG_CONTEXT>", "<img>", "</img>"),  # InternVL
    "<image>",  # LLaVA
)


def suppressed_token_ids(processor: Any) -> tuple[int, ...]:
    """Tokens a policy must never draw: they stand for images, and a response that holds one has no image for it.

    The sampler biases them away and learner and reference mask them in their log-softmax; both sides ask this function,
    else importance ratios drift.

    Args:
        processor: a Hugging Face processor, or the tokenizer alone.

    Returns:
        The ids, ascending; empty for a text-only tokenizer.
    """
    vocabulary = getattr(processor, "tokenizer", processor).get_vocab()
    return tuple(sorted(vocabulary[token] for token in _IMAGE_MARKERS if token in vocabulary))
