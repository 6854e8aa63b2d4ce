import json

import pytest

from emocal_rl.benchmarks.vecbench.strict import score_strict
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_task
from emocal_rl.platform.errors import DataError


def _prediction(task, right, stated="", index=0):
    labels = taxonomy_of_task(task).labels
    label = labels[index % len(labels)]
    answer = label if right else labels[(index + 1) % len(labels)]
    response = f"<answer>{answer}</answer>{stated}"
    return Prediction(f"{task}-{index}", ("a.png",), "?", labels, label, task, response=response)


def test_the_released_run_is_reproduced_from_its_hit_counts(released_hits):
    predictions = [
        _prediction(task, index < hits, index=index)
        for task, (hits, count) in released_hits.items()
        for index in range(count)
    ]
    report = score_strict(predictions)
    assert report.overall.num_samples == 8032
    assert round(100 * report.overall.accuracy, 2) == 62.79
    assert {task: round(row.accuracy * row.num_samples) for task, row in report.tasks.items()} == {
        task: hits for task, (hits, _) in released_hits.items()
    }
    means = {group: round(100 * row.accuracy, 2) for group, row in report.group_task_means.items()}
    assert means == {"ID VSA": 81.95, "ID VER": 55.02, "OOD VER": 50.36}
    assert report.overall_task_mean.accuracy == pytest.approx(
        sum(hits / count for hits, count in released_hits.values()) / 9
    )
    assert report.overall.ece is None
    assert report.confidence_problems == {"missing": 8032}


def test_groups_pool_their_samples():
    certain, unsure = "<confidence>1.0</confidence>", "<confidence>0.5</confidence>"
    predictions = [
        *(_prediction("FI-8", False, certain, index) for index in range(3)),
        *(_prediction("EmoSet-8", True, certain, index) for index in range(3)),
        *(_prediction("SynthWebEmo-7", index == 0, unsure, index) for index in range(2)),
    ]
    report = score_strict(predictions)
    assert report.tasks["FI-8"].ece == 1.0
    assert report.tasks["EmoSet-8"].ece == 0.0
    assert report.groups["ID VER"].ece == pytest.approx(6 / 8 * 0.5)  # pooled: the two cancel to .5
    assert report.group_task_means["ID VER"].ece == pytest.approx((1.0 + 0.0 + 0.0) / 3)
    assert report.overall == report.groups["ID VER"]
    assert report.overall.auc == pytest.approx(0.5)
    assert report.tasks["EmoSet-8"].auc is None


def test_nothing_leaves_the_denominator():
    predictions = [
        _prediction("FI-2", True, "<confidence>0.9</confidence>", 0),
        _prediction("FI-2", True, "<confidence>90%</confidence>", 1),
        Prediction("2", ("a.png",), "?", ("positive", "negative"), "positive", "FI-2", error="timeout"),
        Prediction("3", ("a.png",), "?", ("positive", "negative"), "negative", "FI-2", response="I cannot tell."),
    ]
    report = score_strict(predictions)
    assert report.overall.accuracy == 0.5
    assert report.overall.coverage == 0.25
    assert report.num_errors == 1
    assert report.confidence_problems == {"inference_error": 1, "missing": 1, "percent": 1}
    assert report.overall.brier == pytest.approx(0.01)
    assert report.overall.f1_macro == pytest.approx(2 / 3)


def test_the_report_is_json():
    report = score_strict([_prediction("FI-2", True, "<confidence>0.3</confidence>")], num_bins=5).to_dict()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert [entry["count"] for entry in report["reliability"]] == [0, 1, 0, 0, 0]
    assert report["overall"]["num_samples"] == 1


def test_no_predictions_are_refused():
    with pytest.raises(DataError, match="at least one"):
        score_strict([])
