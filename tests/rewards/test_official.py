"""The official preset against the released function's behaviour, written again from its description."""

import math
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.responses.grammar import render_response
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.presets import preset

OFFICIAL = Composition.from_config(preset("official"))
GOOD = render_response(dict.fromkeys(REASONING_PARTS, "x"), "awe", "0.85")
TAGS = [f"<{slash}{name}>" for name in ("think", *REASONING_PARTS, "answer", "confidence") for slash in ("", "/")]
PIECES = [*TAGS, "awe", "Awe.", "fear", "0.85", "1.0", "1e-1", "nan", "85%", "\n", " ", GOOD, "<think></think>"]


def expected_total(text: str, label: str) -> float:
    def first(name: str, within: str) -> str | None:
        found = re.search(f"<{name}>(.*?)</{name}>", within, re.DOTALL)
        return found[1] if found else None

    thought, answer, confidence = (first(name, text) for name in ("think", "answer", "confidence"))
    if thought is None or any(first(part, thought) is None for part in REASONING_PARTS) or answer is None:
        return -5.0
    try:
        value = float("none" if confidence is None else confidence.strip())
    except ValueError:
        return -5.0
    if not 0 < value < 1:
        return -5.0
    words = "".join(character for character in answer if character not in string.punctuation).lower().split()
    right = words == [label.lower()]
    return 1 + 2 * math.log(value if right else 1 - value) + right


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=30).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_text_earns_what_the_released_function_gives_it(text: str) -> None:
    check(text)


@given(
    st.permutations(["think", "answer", "confidence"]),
    st.permutations(REASONING_PARTS),
    st.sampled_from(["awe", "Awe.", " AWE\n", "awe!", "awe or fear", "fear", "", "a we"]),
    st.one_of(
        st.floats(allow_nan=True).map(str),
        st.sampled_from(["0.5", ".5", "1", "+0.3", "0_1", "0.2_5", "", "{1}", "\x1f.5"]),
    ),
    st.text(max_size=5),
)
@settings(max_examples=300, deadline=None)
def test_any_order_answer_and_confidence_earn_what_the_released_function_gives_them(
    order: list[str], parts: list[str], answer: str, confidence: str, noise: str
) -> None:
    written = {
        "think": "<think>" + "".join(f"<{part}>{noise}</{part}>" for part in parts) + "</think>",
        "answer": f"<answer>{answer}</answer>",
        "confidence": f"<confidence>{confidence}</confidence>",
    }
    check(noise.join(written[name] for name in order))


def check(text: str) -> None:
    for label in ("awe", "Awe"):
        rewarded = OFFICIAL.score(Sample("s", (), "?", ("awe", "fear"), label, "t"), text, "stop")
        assert rewarded.total == pytest.approx(expected_total(text, label), rel=1e-12)
