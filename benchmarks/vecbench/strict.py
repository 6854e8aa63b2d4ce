"""The `strict` protocol: every sample counts, nothing is guessed, and what could not be read is reported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from emocal_rl.benchmarks.vecbench.judgement import judge
from emocal_rl.benchmarks.vecbench.metrics import (
    ReliabilityBin,
    brier_score,
    expected_calibration_error,
    f1_scores,
    reliability_bins,
    roc_auc,
)
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes, collect
from emocal_rl.benchmarks.vecbench.tasks import group_of_task
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.errors import DataError


@dataclass(frozen=True, slots=True)
class MetricRow:
    """Metrics of a set of samples, as fractions; None where undefined.

    Accuracy and F1 are over all samples (failed inferences are wrong), the calibration metrics over those with a valid
    confidence, whose share is `coverage`.
    """

    accuracy: float
    f1_macro: float
    f1_weighted: float
    ece: float | None
    brier: float | None
    auc: float | None
    mean_confidence: float | None
    coverage: float
    num_samples: int


@dataclass(frozen=True, slots=True)
class ProtocolReport:
    """A predictions file under one protocol.

    `overall` and `groups` pool their samples; `overall_task_mean` and `group_task_means` average their tasks' metrics.
    `task_confidence_problems` splits `confidence_problems` by task.
    """

    protocol: str
    overall: MetricRow
    overall_task_mean: MetricRow
    groups: Mapping[str, MetricRow]
    group_task_means: Mapping[str, MetricRow]
    tasks: Mapping[str, MetricRow]
    reliability: Sequence[ReliabilityBin]
    confidence_problems: Mapping[str, int]
    task_confidence_problems: Mapping[str, Mapping[str, int]]
    num_errors: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, ready for JSON."""
        return asdict(self)


def score_strict(predictions: Iterable[Prediction], num_bins: int = 10) -> ProtocolReport:
    """Score predictions of any mix of tasks.

    Raises:
        DataError: there are no predictions.
    """
    return strict_report(collect(map(judge, predictions)), num_bins)


def strict_report(outcomes: Outcomes, num_bins: int = 10) -> ProtocolReport:
    """Score outcomes as `judge` read them.

    Raises:
        DataError: there are none.
    """
    if not len(outcomes):
        raise DataError("predictions", rule="must hold at least one sample", fix="Check the file.")
    by_task = outcomes.by_task()
    tasks = {task: _metrics(part, num_bins) for task, part in by_task.items()}
    groups = {group: _metrics(part, num_bins) for group, part in outcomes.by_group().items()}
    stated = outcomes.where(outcomes.stated)
    problems = {task: part.num_problems() for task, part in by_task.items()}
    return ProtocolReport(
        protocol="strict",
        overall=_metrics(outcomes, num_bins),
        overall_task_mean=_mean(list(tasks.values())),
        groups=groups,
        group_task_means={
            group: _mean([row for task, row in tasks.items() if group_of_task(task) == group]) for group in groups
        },
        tasks=tasks,
        reliability=reliability_bins(stated.confidence, stated.correct.astype(np.float64), num_bins=num_bins),
        confidence_problems=outcomes.num_problems(),
        task_confidence_problems={task: counts for task, counts in problems.items() if counts},
        num_errors=int(outcomes.failed.sum()),
    )


def _metrics(outcomes: Outcomes, num_bins: int) -> MetricRow:
    macro, weighted = f1_scores(outcomes.label, outcomes.answer)
    stated = outcomes.where(outcomes.stated)
    confidence, correct = stated.confidence, stated.correct.astype(np.float64)
    return MetricRow(
        accuracy=float(outcomes.correct.mean()),
        f1_macro=macro,
        f1_weighted=weighted,
        ece=expected_calibration_error(confidence, correct, num_bins=num_bins) if len(stated) else None,
        brier=brier_score(confidence, correct) if len(stated) else None,
        auc=roc_auc(confidence, correct) if len(stated) else None,
        mean_confidence=float(confidence.mean()) if len(stated) else None,
        coverage=len(stated) / len(outcomes),
        num_samples=len(outcomes),
    )


def _mean(rows: Sequence[MetricRow]) -> MetricRow:
    """Average each metric over the rows in which it is defined; the samples add up."""
    values: dict[str, Any] = {}
    for field in fields(MetricRow):
        defined = [value for row in rows if (value := getattr(row, field.name)) is not None]
        values[field.name] = float(np.mean(defined)) if defined else None
    values["num_samples"] = sum(row.num_samples for row in rows)
    return MetricRow(**values)
