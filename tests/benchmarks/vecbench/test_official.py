import math

import pytest

from emocal_rl.benchmarks.vecbench.official import (
    first_content,
    judge_official,
    judge_official_overall,
    official_answers,
    official_report,
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
        (
            "<answer>joy</answer> The awe in it",
            "unknown",
        ),  # a part that names no candidate is not left for the response
        ("The awe in it", "awe"),
        ("<answer></answer> so sadness", "sadness"),
        ("<answer> </answer> so sadness", "unknown"),  # white space is a part, which names no candidate
        ("<answer>fear\n</answer> and awe", "awe"),  # the dot does not match a newline
        ("<answer>\n<answer>fear</answer>", "fear"),
        ("<answer>fear</answer><answer>awe</answer>", "fear"),
        ("<answer>fear</answer", "fear"),
        ("<answer>fear</answer >", "fear"),  # the response has it
        ("<answer >fear</answer> awe", "awe"),
        ("nothing", "unknown"),
        ("", "unknown"),
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
        assert judge_official_overall(capital).answer == "unknown"


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
        ("<confidence>٠.٥</confidence>", 0.5, None),
        ("<confidence>0_5</confidence>", 1.0, None),
        ("<confidence>1e999</confidence>", 1.0, None),
        ("<confidence>-inf</confidence>", 0.0, None),
        ("<confidence>0.5<confidence>0.4</confidence>", None, "not_a_float"),
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


def test_a_task_that_is_spelt_otherwise_is_in_overall_alone():
    report = score([stated("awe", ".5", task="Artphoto-8"), stated("fear", ".5", task="ArtPhoto-8")])
    assert {task: (row.accuracy, row.num_samples) for task, row in report.tasks.items()} == {
        "ArtPhoto-8": (0.0, 1),
        "Artphoto-8": (1.0, 1),
    }
    group = report.groups["OOD VER"]
    assert (group.accuracy, group.f1, group.ece, group.num_samples) == (1.0, 1.0, 0.5, 1)
    assert (report.overall.accuracy, report.overall.num_samples) == (0.5, 2)
    assert score([stated("awe", ".5", task="fi-8")]).groups == {}


def test_a_synthetic_mirror_is_in_the_group_of_its_task():
    assert score([stated("awe", ".5", task="SynthFI-8")]).groups["ID VER"].num_samples == 1


def test_an_answer_not_found_is_right_where_the_label_is_unknown():
    labels = ("joy", "unknown")
    rows = [
        prediction("<answer>none</answer><confidence>.5</confidence>", label=label, candidates=labels)
        for label in labels
    ]
    report = score(rows)
    assert [judge_official(row).correct for row in rows] == [judge_official_overall(row).correct for row in rows]
    assert (report.tasks["FI-8"].accuracy, report.overall.accuracy) == (0.5, 0.5)
    assert report.tasks["FI-8"].f1 == pytest.approx(1 / 2 * (2 / 3))  # `unknown`: one hit of two answers and one label


def test_reading_is_linear():
    assert first_content("<answer>" * 50_000, "answer") is None
    assert first_content("<answer>\n" * 50_000 + "x</answer>", "answer") is None
    assert first_content("<answer>\n" * 50_000 + "<answer>x</answer>", "answer") == "x"
