import pytest

from emocal_rl.benchmarks.vecbench.judgement import judge
from emocal_rl.benchmarks.vecbench.outcomes import collect
from emocal_rl.benchmarks.vecbench.paper import paper_report
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_task


def prediction(task, right, stated="", index=0, error=None):
    labels = taxonomy_of_task(task).labels
    label = labels[index % len(labels)]
    answer = label if right else labels[(index + 1) % len(labels)]
    response = None if error else f"<answer>{answer}</answer>{stated}"
    return Prediction(f"{task}-{index}", (), "?", labels, label, task, response=response, error=error)


def report(predictions):
    return paper_report(collect(map(judge, predictions)))


def test_groups_are_means_of_tasks_and_overall_is_the_mean_of_groups(released_hits):
    scored = report(
        prediction(task, index < hits, index=index)
        for task, (hits, count) in released_hits.items()
        for index in range(count)
    )
    accuracy = {group: round(100 * row.accuracy, 2) for group, row in scored.groups.items()}
    assert accuracy == {"ID VSA": 81.95, "ID VER": 55.02, "OOD VER": 50.36}
    assert round(100 * scored.overall.accuracy, 2) == 62.45
    assert scored.overall.num_samples == 8032


def test_calibration_is_pooled_over_a_group_with_exact_edges_and_a_closed_last_bin():
    certain = "<confidence>1.0</confidence>"
    scored = report(
        [
            *(prediction("FI-8", False, certain, index) for index in range(3)),
            prediction("EmoSet-8", True, certain),
            prediction("EmoSet-8", True, "<confidence>85%</confidence>", 1),
        ]
    )
    row = scored.groups["ID VER"]
    assert (row.accuracy, row.num_samples) == (0.5, 5)
    assert (row.ece, row.brier, row.auc) == (0.75, 0.75, 0.5)
    assert scored.tasks["FI-8"].ece is None
    assert scored.overall == row


def test_failed_inferences_are_left_out_and_counted():
    scored = report([prediction("FI-2", True), prediction("FI-2", False, index=1, error="timeout")])
    assert (scored.overall.accuracy, scored.overall.num_samples) == (1.0, 1)
    assert scored.left_out == {"inference_error": 1}
    assert report([prediction("FI-2", False, error="timeout")]).overall.num_samples == 0


def test_f1_is_weighted():
    scored = report([prediction("FI-2", True), prediction("FI-2", True, index=2), prediction("FI-2", False, index=1)])
    assert scored.tasks["FI-2"].f1 == pytest.approx(2 / 3 * (2 * 2 / 5))
