import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emocal_rl.platform.contracts import REASONING_PARTS
from emocal_rl.platform.responses.grammar import confidence_span, parse_response, render_response

PARTS = {part: f"about the {part}" for part in REASONING_PARTS}
TAGS = [f"<{slash}{name}>" for name in ("think", *REASONING_PARTS, "answer", "confidence") for slash in ("", "/")]
GOOD = render_response(PARTS, "awe", "0.85")

untagged = st.text().filter(lambda text: not any(tag in text for tag in TAGS))
hostile = st.lists(st.one_of(st.sampled_from([*TAGS, "0.5", " ", "\n", "<", "</think"]), st.text())).map("".join)


def test_a_well_formed_response():
    parsed = parse_response(GOOD)
    assert parsed.parts == PARTS
    assert (parsed.answer, parsed.confidence, parsed.confidence_problem) == ("awe", 0.85, None)
    assert parsed.well_formed
    assert parsed.problems == ()


def test_white_space_outside_and_inside_the_parts_is_fine():
    spaced = "\n" + GOOD.replace("><", "> \n\t<").replace("awe", "\n awe ") + "\n"
    parsed = parse_response(spaced)
    assert parsed.well_formed
    assert parsed.answer == "awe"


def test_a_scaffold_response_has_no_confidence():
    scaffold = render_response(PARTS, "awe", None)
    assert parse_response(scaffold, with_confidence=False).well_formed
    assert parse_response(scaffold).problems == ("missing:confidence",)
    assert parse_response(GOOD, with_confidence=False).problems == ("unexpected:confidence",)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", tuple(f"missing:{name}" for name in ("think", *REASONING_PARTS, "answer", "confidence"))),
        (GOOD.replace("</think>", ""), ("missing:think",)),
        (GOOD[: GOOD.index("</confidence>")], ("missing:confidence",)),
        (GOOD + "<answer>fear</answer>", ("duplicated:answer",)),
        (GOOD + "<answer>", ("duplicated:answer",)),
        ("Sure! " + GOOD, ("text_outside",)),
        (GOOD + ".", ("text_outside",)),
        (GOOD.replace("</think>", "so</think>"), ("text_outside",)),
        (GOOD.replace("</answer>", "</answer>, "), ("text_outside",)),
        ("<confidence>0.85</confidence>" + GOOD.replace("<confidence>0.85</confidence>", ""), ("order",)),
        (GOOD.replace("<element>", "@").replace("<human>", "<element>").replace("@", "<human>"), ("order",)),
        (GOOD.replace("<think>", "<Think>"), ("missing:think",)),
    ],
)
def test_every_way_to_break_the_format_is_named(text, problems):
    parsed = parse_response(text)
    assert not parsed.well_formed
    assert parsed.problems == problems


def test_answer_and_confidence_are_read_from_an_otherwise_broken_response():
    parsed = parse_response("no thinking <answer> fear </answer><confidence>0.3</confidence> done")
    assert (parsed.answer, parsed.confidence, parsed.well_formed) == ("fear", 0.3, False)


def test_a_repeated_answer_is_no_answer():
    assert parse_response(GOOD.replace("awe", "awe</answer><answer>fear")).answer is None


@pytest.mark.parametrize(
    ("written", "value"), [("0", 0.0), ("1", 1.0), ("1.00", 1.0), (".5", 0.5), (" 0.07\n", 0.07), ("0.850", 0.85)]
)
def test_plain_decimals_are_confidences(written, value):
    parsed = parse_response(GOOD.replace("0.85", written))
    assert (parsed.confidence, parsed.confidence_problem) == (value, None)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("85%", "percent"),
        ("0.85 %", "percent"),
        ("85", "out_of_range"),
        ("1.01", "out_of_range"),
        ("-0.2", "out_of_range"),
        ("9" * 5000, "out_of_range"),
        ("nan", "not_a_number"),
        ("inf", "not_a_number"),
        ("{0.85}", "not_a_number"),
        ("1e-1", "not_a_number"),
        ("+0.5", "not_a_number"),
        ("0_5", "not_a_number"),
        ("٠.٥", "not_a_number"),
        ("0,85", "not_a_number"),
        ("high", "not_a_number"),
        ("0.8</confidence><confidence>0.9", "duplicated"),
    ],
)
def test_an_invalid_confidence_has_its_reason(written, reason):
    parsed = parse_response(GOOD.replace("0.85", written))
    assert (parsed.confidence, parsed.confidence_problem) == (None, reason)


def test_an_unfinished_or_reversed_confidence_is_missing():
    assert parse_response("<confidence>0.8").confidence_problem == "missing"
    assert parse_response("</confidence>0.8<confidence>").confidence_problem == "missing"


def test_confidence_span_covers_the_tags():
    start, end = confidence_span(GOOD)
    assert GOOD[start:end] == "<confidence>0.85</confidence>"
    assert confidence_span(GOOD + GOOD) is None
    assert confidence_span("<confidence>0.85") is None


def test_rendering_refuses_text_that_would_not_be_read_back():
    with pytest.raises(ValueError, match="analysis contains the tag </think>"):
        render_response({**PARTS, "analysis": "so </think>"}, "awe", "0.5")


@given(hostile)
def test_no_input_raises(text):
    parsed = parse_response(text)
    assert parsed.well_formed == (parsed.problems == ())
    assert (parsed.confidence is None) == (parsed.confidence_problem is not None)
    assert (confidence_span(text) is None) == (parsed.confidence_problem in {"missing", "duplicated"})


@given(st.lists(untagged, min_size=5, max_size=5), untagged, st.none() | st.integers(0, 100))
def test_rendered_responses_are_read_back(contents, answer, percent):
    parts = dict(zip(REASONING_PARTS, contents, strict=True))
    confidence = None if percent is None else f"{percent / 100:.2f}"
    text = render_response(parts, answer, confidence)
    parsed = parse_response(text, with_confidence=percent is not None)
    assert parsed.well_formed
    assert parsed.parts == {part: content.strip() for part, content in parts.items()}
    assert parsed.answer == answer.strip()
    assert parsed.confidence == (None if percent is None else percent / 100)


@pytest.mark.parametrize("unit", ["<think>", "</think>", "<think></think>", "<confidence>1", "<", "<confidence>" + " "])
def test_hostile_repetition_takes_linear_time(unit):
    start = time.process_time()
    parse_response(unit * 100_000)
    assert time.process_time() - start < 2.0


def test_a_very_long_number_takes_linear_time():
    start = time.process_time()
    parsed = parse_response(GOOD.replace("0.85", "0." + "9" * 1_000_000))
    assert time.process_time() - start < 2.0
    assert parsed.confidence == 1.0
