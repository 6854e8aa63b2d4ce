import pytest

from emocal_rl.benchmarks.statistics.per_class import ClassRow, per_class
from emocal_rl.benchmarks.vecbench.judgement import Judgement
from emocal_rl.benchmarks.vecbench.outcomes import collect


def judged(task, label, answer, confidence=None):
    return Judgement(task, label, answer, confidence, "missing" if confidence is None else None)


def test_rows_by_task_and_label():
    outcomes = collect(
        [
            judged("FI-2", "positive", "positive", 0.5),
            judged("FI-2", "positive", "positive"),
            judged("FI-2", "positive", None, 0.8),
            judged("FI-2", "negative", "positive", 0.6),
            judged("FI-8", "awe", "awe", 0.9),
        ]
    )
    assert per_class(outcomes) == [
        ClassRow("FI-2", "negative", 1, 0, None, 0.0, 0.0, pytest.approx(0.6)),
        ClassRow(
            "FI-2",
            "positive",
            3,
            3,
            pytest.approx(2 / 3),
            pytest.approx(2 / 3),
            pytest.approx(2 / 3),
            pytest.approx(0.65),
        ),
        ClassRow("FI-8", "awe", 1, 1, 1.0, 1.0, 1.0, 0.9),
    ]
    assert per_class(collect([judged("FI-2", "positive", None)]))[0].mean_confidence is None
