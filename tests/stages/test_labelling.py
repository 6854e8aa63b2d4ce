import numpy as np
import pytest

from emocal_rl.platform.contracts import REASONING_PARTS, FinishReason, Response, Sample
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
from emocal_rl.stages.labelling import LabelledSample, ScaffoldResponse, label_response, label_responses

PARTS = "".join(f"<{part}>x</{part}>" for part in REASONING_PARTS)
SAMPLE = Sample("s", (), "?", TAXONOMIES["mikels8"].labels, "amusement", "FI-8")


def response(text: str, finish_reason: FinishReason = "stop", probability: float = 0.9) -> ScaffoldResponse:
    return ScaffoldResponse(text, probability, finish_reason)


def answered(answer: str) -> str:
    return f"<think>{PARTS}</think><answer>{answer}</answer>"


def test_what_is_kept_of_a_response_is_its_text_and_mean_token_probability() -> None:
    logprobs = np.log(np.array([1.0, 0.5], dtype=np.float32))
    kept = ScaffoldResponse.of(Response("text", np.array([1, 2], dtype=np.int32), logprobs, "stop", 0))
    assert (kept.text, kept.finish_reason) == ("text", "stop")
    assert kept.probability == pytest.approx(0.75, abs=1e-7)


def test_a_right_answer_gets_half_of_one_plus_p_and_loss_on_the_confidence_alone() -> None:
    labelled = label_response(SAMPLE, response(answered("Amusement.") + "\n"))
    assert isinstance(labelled, LabelledSample)
    assert (labelled.confidence, labelled.is_right) == (0.95, True)
    ending = "<confidence>0.95</confidence>"
    assert labelled.demonstration.response == answered("Amusement.") + ending
    start = len(answered("Amusement."))
    assert labelled.demonstration.loss_spans == ((start, start + len(ending)),)
    assert labelled.demonstration.loss_on_end
    assert labelled.demonstration.sample is SAMPLE


def test_a_wrong_answer_is_marked_down_by_its_ring_distance() -> None:
    labelled = label_response(SAMPLE, response(answered("anger")))
    assert isinstance(labelled, LabelledSample)
    assert (labelled.confidence, labelled.is_right) == (0.29, False)  # 0.5 - 0.2371 * 0.9


def test_the_distance_is_that_of_the_given_ring() -> None:
    ring = {label: index / 8 for index, label in enumerate(TAXONOMIES["mikels8"].labels)}
    labelled = label_response(SAMPLE, response(answered("anger")), {"mikels8": ring})
    assert isinstance(labelled, LabelledSample)
    assert labelled.confidence == 0.05  # 0.5 - 4/8 * 0.9


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (response(answered("joyous")), "outside the taxonomy"),
        (response("awe"), "malformed"),
        (response(answered("awe"), "length"), "truncated"),
        (response(answered("awe") + "<confidence>0.5</confidence>"), "malformed"),
    ],
)
def test_what_equation_2_cannot_label_is_dropped_with_its_reason(given: ScaffoldResponse, reason: str) -> None:
    assert label_response(SAMPLE, given) == reason


def test_labels_and_summary_in_the_samples_order() -> None:
    two = Sample("t", (), "?", ("positive", "negative"), "positive", "FI-2")
    responses = {
        3: response(answered("positive"), probability=1.0),  # 1.00, in the last, closed bin
        2: response("no tags"),
        1: response(answered("negative"), probability=0.8),  # 0.5 - 0.5 * 0.8 = 0.10
        0: response(answered("amusement"), probability=0.5),  # 0.5 * 1.5 = 0.75
    }
    labelled = label_responses([SAMPLE, two, two, two], responses)
    assert [row.confidence for row in labelled.samples] == [0.75, 0.1, 1.0]
    summary = labelled.summary()
    right, wrong = summary["histogram"]["right"], summary["histogram"]["wrong"]
    assert (len(right), {i: n for i, n in enumerate(right) if n}) == (20, {15: 1, 19: 1})
    assert {i: n for i, n in enumerate(wrong) if n} == {2: 1}
    assert (summary["kept"], summary["dropped"]) == (3, {"malformed": 1})
    assert (summary["right"], summary["wrong"], summary["mean_when_right"]) == (2, 1, 0.875)
    assert summary["tasks"]["FI-2"] == {
        "right": 1, "wrong": 1, "accuracy": 0.5, "mean_when_right": 1.0, "mean_when_wrong": 0.1
    }  # fmt: skip
    assert summary["tasks"]["FI-8"]["mean_when_wrong"] is None
