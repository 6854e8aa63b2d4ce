"""The released reward's reading of a response (emocaliber.md, section Reward), as a variant of the response grammar."""

import string

from emocal_rl.platform.contracts import REASONING_PARTS, ParsedResponse

_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def parse_official_reward(text: str) -> ParsedResponse:
    """Read a response as the released reward does. Total and linear in the length of `text`: no input raises.

    The first think, answer and confidence are found anywhere; tag order and uniqueness are not checked. Well-formed
    means that the released reward does not fall back to its flat -5: all five tags inside think, an answer, and a
    confidence that Python's `float` reads as strictly between 0 and 1.
    """
    thought = _first(text, "think")
    found = {part: _first(thought or "", part) for part in REASONING_PARTS}
    parts = {part: content for part, content in found.items() if content is not None}
    answer = _first(text, "answer")
    confidence, confidence_problem = _read_confidence(_first(text, "confidence"))
    problems = tuple(
        name
        for name, broken in (
            ("think", len(parts) < len(REASONING_PARTS)),
            ("answer", answer is None),
            ("confidence", confidence_problem is not None),
        )
        if broken
    )
    return ParsedResponse(parts, answer, confidence, confidence_problem, not problems, problems)


def official_answer_is_correct(answer: str | None, label: str) -> bool:
    """Tell whether the released reward counts `answer` as `label`.

    Both are lower-cased; punctuation is stripped from the answer but not from the label: `Awe.` is awe, `self-pity`
    never is self-pity.
    """
    return answer is not None and answer.translate(_WITHOUT_PUNCTUATION).lower().split() == [label.lower()]


def _first(text: str, name: str) -> str | None:
    """Content of the first `<name>...</name>`.

    Equal to a lazy regex whose dot matches newlines (if the first opening tag is never closed, no later one is), but
    linear where the regex is quadratic: a response of nothing but opening tags.
    """
    start = text.find(f"<{name}>")
    if start < 0:
        return None
    start += len(name) + 2
    end = text.find(f"</{name}>", start)
    return None if end < 0 else text[start:end]


def _read_confidence(content: str | None) -> tuple[float | None, str | None]:
    if content is None:
        return None, "missing"
    try:
        value = float(content.strip())  # `float` itself does not take U+001C to U+001F for white space
    except ValueError:
        return None, "not_a_number" if content.strip() else "empty"
    if value != value:  # NaN is the one value unequal to itself
        return None, "not_a_number"
    return (value, None) if 0.0 < value < 1.0 else (None, "out_of_range")
