import math

import numpy as np
import pytest

from emocal_rl.benchmarks.vecbench.official import (
    first_content,
    judge_official,
    judge_official_overall,
    official_answers,
    official_report,
    open_bin_error,
)
from emocal_rl.benchmarks.vecbench.outcomes import collect
from emocal_rl.benchmarks.vecbench.strict import score_strict
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES, taxonomy_of_task

MIKELS = TAXONOMIES["mikels8"].labels
README_RUN = {
    "Abstract-8": (67, 229, "29.26"),
    "Artphoto-8": (338, 806, "41.94"),
    "EmoSet-8": (681, 1000, "68.10"),
    "FI-2": (881, 1000, "88.10"),
    "FI-8": (697, 1000, "69.70"),
    "UnbiasedEmo-6": (799, 1000, "79.90"),
    "WebEmo-2": (758, 1000, "75.80"),
    "WebEmo-7": (540, 1000, "54.00"),
    "WebEmo-25": (282, 997, "28.28"),
}


def prediction(response, *, label="awe", task="FI-8", candidates=MIKELS, name="1"):
    error = None if response is not None else "timeout"
    return Prediction(name, ("a.png",), "?", tuple(candidates), label, task, response=response, error=error)


def score(predictions):
    return official_report(collect(map(judge_official, predictions)), collect(map(judge_official_overall, predictions)))


def stated(answer, confidence, label="awe", task="FI-8"):
    return prediction(f"<answer>{answer}</answer><confidence>{confidence}</confidence>", label=label, task=task)


def test_the_readme_run_is_reproduced_from_its_hit_counts():
    predictions = []
    for task, (hits, count, _) in README_RUN.items():
        labels = taxonomy_of_task(task).labels
        for index in range(count):
            label = labels[index % len(labels)]
            answer = label if index < hits else labels[(index + 1) % len(labels)]
            response = f"<answer>{answer}</answer><confidence>0.55</confidence>"
            predictions.append(prediction(response, label=label, task=task, candidates=labels))
    report = score(predictions)
    assert list(report.tasks) == list(README_RUN)
    assert {task: f"{100 * row.accuracy:.2f}" for task, row in report.tasks.items()} == {
        task: shown for task, (_, _, shown) in README_RUN.items()
    }
    pooled = {group: (f"{100 * row.accuracy:.2f}", row.num_samples) for group, row in report.groups.items()}
    assert pooled == {"ID VSA": ("81.95", 2000), "ID VER": ("55.04", 3997), "OOD VER": ("59.16", 2035)}
    assert report.overall.num_samples == 8032
    assert f"{100 * score_strict(predictions).overall.accuracy:.2f}" == "62.79"


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("<answer>awesome</answer>", "awe"),
        ("<answer>danger</answer>", "anger"),
        ("<answer>fear, not awe</answer>", "awe"),  # list order, not text order
        ("<ANSWER>AWE</ANSWER>", "awe"),
        ("<answer>joy</answer> The awe in it", None),  # a part that names no candidate is not left for the response
        ("The awe in it", "awe"),
        ("<answer></answer> so sadness", "sadness"),
        ("<answer> </answer> so sadness", None),  # white space is a part, which names no candidate
        ("<answer>fear\n</answer> and awe", "awe"),  # the dot does not match a newline
        ("<answer>\n<answer>fear</answer>", "fear"),
        ("<answer>fear</answer><answer>awe</answer>", "fear"),
        ("<answer>fear</answer", "fear"),
        ("nothing", None),
        ("", None),
    ],
)
def test_an_answer_is_the_first_candidate_inside_the_part_or_else_the_response(response, answer):
    assert judge_official(prediction(response)).answer == answer


def test_substrings_of_other_taxonomies():
    joy = prediction("<answer>enjoy</answer>", task="WebEmo-7", candidates=TAXONOMIES["webemo7"].labels, label="joy")
    rage = prediction("<answer>storage</answer>", task="WebEmo-25", candidates=TAXONOMIES["webemo25"].labels)
    assert (judge_official(joy).answer, judge_official(joy).correct) == ("joy", True)
    assert judge_official(rage).answer == "rage"


def test_overall_reads_the_whole_response_in_lower_case_and_candidates_as_they_stand():
    response = "<think>not Amusement</think><answer>awe</answer>"
    assert judge_official(prediction(response)).answer == "awe"
    assert judge_official_overall(prediction(response)).answer == "amusement"
    assert judge_official_overall(prediction("<answer>AWE</answer>", label="Awe")).correct
    for written in ("Awe", "awe"):
        capital = prediction(f"<answer>{written}</answer>", label="Awe", candidates=["Fear", "Awe"])
        assert judge_official(capital).correct
        assert judge_official_overall(capital).answer is None


@pytest.mark.parametrize(
    ("part", "confidence", "problem"),
    [
        ("<confidence>0.85</confidence>", 0.85, None),
        ("<confidence>{0.85}</confidence>", 0.85, None),
        ("<confidence> 0.85 </confidence>", 0.85, None),
        ("<confidence>0.{8}5</confidence>", 0.85, None),
        ("<confidence>{ .5 }</confidence>", 0.5, None),
        ("<confidence>{}</confidence>", None, "not_a_float"),
        ("<confidence>85</confidence>", 1.0, None),
        ("<confidence>-3</confidence>", 0.0, None),
        ("<confidence>inf</confidence>", 1.0, None),
        ("<confidence>1e-1</confidence>", 0.1, None),
        ("<confidence>.2</confidence><confidence>.9</confidence>", 0.2, None),
        ("<confidence>\n.2</confidence><confidence>.9</confidence>", 0.9, None),
        ("", None, "missing"),
        ("<confidence>\n.2</confidence>", None, "missing"),
        ("<Confidence>.2</Confidence>", None, "missing"),
        ("<confidence></confidence>", None, "not_a_float"),
        ("<confidence>85%</confidence>", None, "not_a_float"),
        ("<confidence>high</confidence>", None, "not_a_float"),
    ],
)
def test_a_confidence_is_clipped_missing_or_drops_its_row(part, confidence, problem):
    judgement = judge_official(prediction(f"<answer>awe</answer>{part}"))
    assert (judgement.confidence, judgement.confidence_problem) == (confidence, problem)


def test_nan_stays():
    judgement = judge_official(stated("awe", "nan"))
    assert math.isnan(judgement.confidence)
    assert judgement.confidence_problem is None
    row = score([stated("awe", "nan"), stated("fear", "0.25")]).groups["ID VER"]
    assert (row.accuracy, row.num_samples) == (0.5, 2)
    assert row.ece == pytest.approx(0.125)  # NaN is in no bin, but one of two samples
    assert (row.brier, row.auc) == (None, None)


@pytest.mark.parametrize("answer", ["awe", "fear"])
def test_a_group_all_right_or_all_wrong_has_no_auc(answer):
    row = score([stated(answer, "0.5"), stated(answer, "1.0")]).groups["ID VER"]
    brier = {"awe": 0.125, "fear": 0.625}[answer]
    assert (row.accuracy, row.ece, row.brier, row.auc) == (float(answer == "awe"), 0.25, brier, None)


@pytest.mark.parametrize(
    ("groups", "ece"),
    [
        ([(1.0, 10, 0)], 0.0),
        ([(1.0, 5, 0), (0.95, 5, 5)], 0.025),
        ([(0.3, 5, 1), (0.25, 5, 3)], 0.125),
        ([(0.6, 4, 4), (0.55, 4, 0)], 0.075),  # both in [.5, .6)
        ([(0.7, 4, 4), (0.65, 4, 0)], 0.175),
        ([(0.4, 4, 4), (0.35, 4, 0)], 0.475),  # .4 is where it belongs
        ([(0.0, 2, 0)], 0.0),
    ],
)
def test_the_last_bin_is_open_and_the_edges_are_floats(groups, ece):
    confidence = np.concatenate([np.full(count, value) for value, count, _ in groups])
    correct = np.concatenate([np.arange(count) < right for _, count, right in groups]).astype(float)
    assert open_bin_error(confidence, correct) == pytest.approx(ece, abs=1e-12)


def test_who_is_in_which_denominator():
    report = score(
        [
            stated("awe", "0.9"),
            stated("fear", "90%"),  # dropped from everything
            prediction("<answer>fear</answer>"),  # without a confidence: not in the group's accuracy, but in its F1
            prediction(None),
        ]
    )
    assert (report.tasks["FI-8"].accuracy, report.tasks["FI-8"].num_samples) == (0.5, 2)
    group = report.groups["ID VER"]
    assert (group.accuracy, group.f1, group.num_samples) == (1.0, pytest.approx(2 / 3), 2)
    assert report.overall.num_samples == 2
    assert report.left_out == {"inference_error": 1, "not_a_float": 1}


def test_the_log_without_confidences_has_the_dropped_rows():
    rows = [stated("awe", "0.9"), stated("fear", "90%"), prediction(None)]
    report = official_answers(collect(map(judge_official, rows)), collect(map(judge_official_overall, rows)))
    assert (report.tasks["FI-8"].accuracy, report.tasks["FI-8"].num_samples) == (0.5, 2)
    assert (report.overall.num_samples, report.groups, report.left_out) == (2, {}, {"inference_error": 1})


def test_f1_is_weighted():
    report = score([stated("awe", ".5"), stated("awe", ".5"), stated("awe", ".5", label="fear"), stated("joy", ".5")])
    # awe: 2 hits of 3 labels and 3 answers, fear: never named
    assert report.tasks["FI-8"].f1 == pytest.approx(3 / 4 * (2 * 2 / 6))


def test_nothing_left_is_not_an_error():
    report = score([prediction(None)])
    assert (report.overall.accuracy, report.overall.num_samples, report.tasks) == (None, 0, {})
    only_missing = score([prediction("<answer>awe</answer>")])
    row = only_missing.groups["ID VER"]
    assert (row.accuracy, row.f1, row.ece, row.num_samples) == (None, 1.0, None, 1)


def test_other_spellings_of_a_task_are_the_task():
    assert list(score([stated("awe", ".5", task="ArtPhoto-8")]).tasks) == ["Artphoto-8"]


def test_reading_is_linear():
    assert first_content("<answer>" * 50_000, "answer") is None
    assert first_content("<answer>\n" * 50_000 + "x</answer>", "answer") is None
    assert first_content("<answer>\n" * 50_000 + "<answer>x</answer>", "answer") == "x"
