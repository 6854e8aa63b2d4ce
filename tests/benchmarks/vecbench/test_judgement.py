import pytest

from emocal_rl.benchmarks.vecbench.judgement import judge
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES


def _judge(response, *, label="awe", task="FI-8", taxonomy="mikels8", **kwargs):
    return judge(
        Prediction("1", ("a.png",), "?", TAXONOMIES[taxonomy].labels, label, task, response=response, **kwargs)
    )


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("<answer>awe</answer>", "awe"),
        ("<answer> AWE. </answer>", "awe"),
        ("<answer>awesome</answer>", None),  # a substring is not an answer
        ("<answer>awe or fear</answer>", None),
        ("awe", None),
        ("", None),
        ("\x00\ud800<answer>\udfff</answer>", None),
        ("<answer>" * 5000, None),
    ],
)
def test_an_answer_is_exactly_a_label(response, answer):
    judgement = _judge(response)
    assert judgement.answer == answer
    assert judgement.correct == (answer == "awe")


def test_both_spellings_are_one_label_and_task_names_are_canonical():
    judgement = _judge("<answer>cheerfulness</answer>", label="cheerfullness", task="webemo-25", taxonomy="webemo25")
    assert (judgement.task, judgement.label, judgement.correct) == ("WebEmo-25", "cheerfulness", True)


@pytest.mark.parametrize(
    ("stated", "confidence", "problem"),
    [
        ("<confidence>0.85</confidence>", 0.85, None),
        ("<confidence>1.0</confidence>", 1.0, None),
        ("<confidence>85</confidence>", None, "out_of_range"),
        ("<confidence>85%</confidence>", None, "percent"),
        ("<confidence>{0.85}</confidence>", None, "not_a_number"),
        ("<confidence>nan</confidence>", None, "not_a_number"),
        ("<confidence></confidence>", None, "empty"),
        ("<confidence>.1</confidence><confidence>.2</confidence>", None, "duplicated"),
        ("", None, "missing"),
    ],
)
def test_a_confidence_is_a_number_in_the_unit_interval_or_a_counted_problem(stated, confidence, problem):
    judgement = _judge(f"<answer>awe</answer>{stated}")
    assert (judgement.confidence, judgement.confidence_problem) == (confidence, problem)


def test_a_failed_inference_is_wrong():
    judgement = _judge(None, error="out of memory")
    assert (judgement.correct, judgement.confidence_problem) == (False, "inference_error")
