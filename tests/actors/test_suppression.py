from types import SimpleNamespace
from typing import Any

from emocal_rl.actors.suppression import suppressed_token_ids


def tokenizer(*tokens: str) -> Any:
    return SimpleNamespace(get_vocab=lambda: {token: index for index, token in enumerate(tokens)})


def test_image_markers_are_suppressed_and_nothing_else() -> None:
    qwen = tokenizer("<|im_end|>", "<|vision_end|>", "awe", "<|image_pad|>", "<|vision_start|>", "<|video_pad|>")
    assert suppressed_token_ids(qwen) == (1, 3, 4, 5)
    assert suppressed_token_ids(SimpleNamespace(tokenizer=qwen)) == (1, 3, 4, 5)
    assert suppressed_token_ids(tokenizer("<img>", "b", "<IMG_CONTEXT>", "</img>")) == (0, 2, 3)
    assert suppressed_token_ids(tokenizer("a", "b")) == ()
