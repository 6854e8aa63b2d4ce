"""Answers and confidences that are given more than once: which of them count."""


def keep_last(text: str) -> str:
    """Return the response without any `<answer>...</answer>` and `<confidence>...</confidence>` but the last of each.

    Pairs are found from the left, each opening tag with the next closing one. Linear in the length of `text`.

    Source: RLCR (arXiv 2507.16806; github.com/damanimehul/RLCR), whose reward reads the last of each tag.
    """
    for name in ("answer", "confidence"):
        pieces, end = [], 0
        pairs = _pairs(text, name)
        for start, after in pairs[:-1]:
            pieces.append(text[end:start])
            end = after
        text = "".join((*pieces, text[end:]))
    return text


def _pairs(text: str, name: str) -> list[tuple[int, int]]:
    """Characters of every tag pair, tags included."""
    opening, closing = f"<{name}>", f"</{name}>"
    pairs: list[tuple[int, int]] = []
    start = text.find(opening)
    while start >= 0 and (end := text.find(closing, start)) >= 0:
        pairs.append((start, end + len(closing)))
        start = text.find(opening, end)
    return pairs
