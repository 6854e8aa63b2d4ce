import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emocal_rl.platform.contracts import REASONING_PARTS
from emocal_rl.platform.responses.grammar import parse_response, render_response
from emocal_rl.platform.responses.official_reward import official_answer_is_correct, parse_official_reward

GOOD = render_response({part: f"about the {part}" for part in REASONING_PARTS}, "awe", "0.85")


def test_order_uniqueness_and_text_outside_are_not_checked():
    thought = "".join(f"<{part}>\n</{part}>" for part in reversed(REASONING_PARTS))
    text = f"<confidence> 5e-1 </confidence><answer>\nAwe.\n</answer> so <think>{thought}</think><answer>fear</answer>"
    parsed = parse_official_reward(text)
    assert parsed.well_formed
    assert (parsed.answer, parsed.confidence) == ("\nAwe.\n", 0.5)


@pytest.mark.parametrize("written", ["1.0", "0", "{0.85}", "85%", "nan", "inf", "", "-0.1"])
def test_confidences_the_released_reward_refuses(written):
    parsed = parse_official_reward(GOOD.replace("0.85", written))
    assert (parsed.confidence, parsed.well_formed, parsed.problems) == (None, False, ("confidence",))


def test_confidences_only_the_released_reward_accepts():
    for written, value in {"1e-1": 0.1, "+0.5": 0.5, "0.2_5": 0.25, "٠.٥": 0.5}.items():
        assert parse_official_reward(GOOD.replace("0.85", written)).confidence == value
        assert parse_response(GOOD.replace("0.85", written)).confidence is None


@pytest.mark.parametrize("space", ["\x1c", "\x1f", "\xa0", "\u2003", "\n"])
def test_all_that_python_calls_white_space_may_surround_the_confidence(space):
    assert parse_official_reward(GOOD.replace("0.85", f"{space}0.85{space}")).confidence == 0.85


def test_missing_pieces_are_named():
    assert parse_official_reward("").problems == ("think", "answer", "confidence")
    assert parse_official_reward(GOOD.replace("<human>", "")).problems == ("think",)
    assert parse_official_reward(GOOD.replace("<human>about the human</human>", "") + "<human></human>").problems == (
        "think",
    )
    assert parse_official_reward(GOOD.replace("</answer>", "")).problems == ("answer",)


@pytest.mark.parametrize(
    ("answer", "label", "correct"),
    [
        ("awe", "awe", True),
        ("Awe.", "awe", True),
        ("\n **AWE** \n", "awe", True),
        ("awe or fear", "awe", False),
        ("awesome", "awe", False),
        ("", "awe", False),
        (None, "awe", False),
        ("self-pity", "self-pity", False),
        ("awe", "Awe", True),
        ("Σας", "ΣΑΣ", True),
    ],
)
def test_the_released_answer_rule(answer, label, correct):
    assert official_answer_is_correct(answer, label) is correct


@given(st.lists(st.one_of(st.sampled_from(["<think>", "</think>", "<confidence>", "</confidence>", "."]), st.text())))
def test_no_input_raises(pieces):
    parsed = parse_official_reward("".join(pieces))
    assert parsed.well_formed == (parsed.problems == ())


@pytest.mark.parametrize("unit", ["<think>", "<think><element>", "<think></think>", "<answer>", "<confidence>1"])
def test_hostile_repetition_takes_linear_time(unit):
    start = time.process_time()
    parse_official_reward(unit * 100_000)
    assert time.process_time() - start < 1.0
