from collections.abc import Callable, Sequence
from pathlib import Path

from emocal_rl.platform.errors import ModelError

CountLengths = Callable[[Sequence[str]], list[int]]
"""Texts -> their lengths, in one unit."""


def count_words(texts: Sequence[str]) -> list[int]:
    """Count what white space separates."""
    return [len(text.split()) for text in texts]


def token_counter(path: str) -> CountLengths:
    """Return a counter of tokens, special ones not added.

    Args:
        path: a `tokenizer.json`, or a model directory with one.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    from tokenizers import Tokenizer

    file = Path(path) / "tokenizer.json" if Path(path).is_dir() else Path(path)
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the Rust library raises a bare Exception
        rule = f"must be a tokenizer.json, or a folder with one: {error}"
        raise ModelError("--tokenizer", path, rule=rule, fix="Give the path of a Hugging Face model.") from error

    def count(texts: Sequence[str]) -> list[int]:
        encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encoded]

    return count
