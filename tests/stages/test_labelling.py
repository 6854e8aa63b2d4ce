import numpy as np
import pytest

from emocal_rl.platform.contracts import REASONING_PARTS, FinishReason, Response, Sample
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
from emocal_rl.stages.labelling import label_response

PARTS = "".join(f"<{part}>x</{part}>" for part in REASONING_PARTS)
SAMPLE = Sample("s", (), "?", TAXONOMIES["mikels8"].labels, "amusement", "FI-8")


def response(text: str, finish_reason: FinishReason = "stop") -> Response:
    logprobs = np.log(np.array([0.9, 0.9], dtype=np.float32))
    return Response(text, np.array([1, 2], dtype=np.int32), logprobs, finish_reason, 0)


def answered(answer: str) -> str:
    return f"<think>{PARTS}</think><answer>{answer}</answer>"


def test_a_right_answer_gets_half_of_one_plus_p_and_loss_on_the_confidence_alone() -> None:
    labelled = label_response(SAMPLE, response(answered("Amusement.")))
    assert not isinstance(labelled, str)
    demonstration, confidence, is_right = labelled
    assert (confidence, is_right) == (0.95, True)
    ending = "<confidence>0.95</confidence>"
    assert demonstration.response == answered("Amusement.") + ending
    start = len(answered("Amusement."))
    assert demonstration.loss_spans == ((start, start + len(ending)),)
    assert demonstration.loss_on_end
    assert demonstration.sample is SAMPLE


def test_a_wrong_answer_is_marked_down_by_its_ring_distance() -> None:
    labelled = label_response(SAMPLE, response(answered("anger")))
    assert not isinstance(labelled, str)
    assert labelled[1:] == (0.29, False)  # 0.5 - 0.2371 * 0.9


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (response(answered("joyous")), "outside the taxonomy"),
        (response("awe"), "malformed"),
        (response(answered("awe"), "length"), "truncated"),
        (response(answered("awe") + "<confidence>0.5</confidence>"), "malformed"),
    ],
)
def test_what_equation_2_cannot_label_is_dropped_with_its_reason(given: Response, reason: str) -> None:
    assert label_response(SAMPLE, given) == reason
