"""The `strict` protocol: every sample counts, nothing is guessed, and what could not be read is reported."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from emocal_rl.benchmarks.vecbench.judgement import Judgement, judge
from emocal_rl.benchmarks.vecbench.metrics import (
    ReliabilityBin,
    brier_score,
    expected_calibration_error,
    f1_scores,
    reliability_bins,
    roc_auc,
)
from emocal_rl.benchmarks.vecbench.tasks import GROUPS, group_of_task
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
    """

    protocol: str
    overall: MetricRow
    overall_task_mean: MetricRow
    groups: Mapping[str, MetricRow]
    group_task_means: Mapping[str, MetricRow]
    tasks: Mapping[str, MetricRow]
    reliability: Sequence[ReliabilityBin]
    confidence_problems: Mapping[str, int]
    num_errors: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, ready for JSON."""
        return asdict(self)


def score_strict(predictions: Sequence[Prediction], num_bins: int = 10) -> ProtocolReport:
    """Score predictions of any mix of tasks.

    Raises:
        DataError: there are no predictions.
    """
    if not predictions:
        raise DataError("predictions", rule="must hold at least one sample", fix="Check the file.")
    judged = [judge(prediction) for prediction in predictions]
    by_task: defaultdict[str, list[Judgement]] = defaultdict(list)
    by_group: defaultdict[str, list[Judgement]] = defaultdict(list)
    for judgement in judged:
        by_task[judgement.task].append(judgement)
        if (group := group_of_task(judgement.task)) is not None:
            by_group[group].append(judgement)
    tasks = {task: _metrics(by_task[task], num_bins) for task in sorted(by_task)}
    present = [group for group in GROUPS if group in by_group]
    stated = [judgement for judgement in judged if judgement.confidence is not None]
    problems = Counter(judgement.confidence_problem for judgement in judged if judgement.confidence_problem)
    return ProtocolReport(
        protocol="strict",
        overall=_metrics(judged, num_bins),
        overall_task_mean=_mean(list(tasks.values())),
        groups={group: _metrics(by_group[group], num_bins) for group in present},
        group_task_means={
            group: _mean([row for task, row in tasks.items() if group_of_task(task) == group]) for group in present
        },
        tasks=tasks,
        reliability=reliability_bins(*_pairs(stated), num_bins=num_bins),
        confidence_problems=dict(sorted(problems.items())),
        num_errors=sum(prediction.response is None for prediction in predictions),
    )


def _metrics(judged: Sequence[Judgement], num_bins: int) -> MetricRow:
    stated = [judgement for judgement in judged if judgement.confidence is not None]
    macro, weighted = f1_scores([entry.label for entry in judged], [entry.answer or "" for entry in judged])
    confidence, correct = _pairs(stated)
    return MetricRow(
        accuracy=sum(entry.correct for entry in judged) / len(judged),
        f1_macro=macro,
        f1_weighted=weighted,
        ece=expected_calibration_error(confidence, correct, num_bins=num_bins) if stated else None,
        brier=brier_score(confidence, correct) if stated else None,
        auc=roc_auc(confidence, correct) if stated else None,
        mean_confidence=float(confidence.mean()) if stated else None,
        coverage=len(stated) / len(judged),
        num_samples=len(judged),
    )


def _pairs(stated: Sequence[Judgement]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return confidences and outcomes, (n,) float64 each."""
    confidence = np.array([entry.confidence for entry in stated], dtype=np.float64)
    return confidence, np.array([entry.correct for entry in stated], dtype=np.float64)


def _mean(rows: Sequence[MetricRow]) -> MetricRow:
    """Average each metric over the rows in which it is defined; the samples add up."""
    values: dict[str, Any] = {}
    for field in fields(MetricRow):
        defined = [value for row in rows if (value := getattr(row, field.name)) is not None]
        values[field.name] = float(np.mean(defined)) if defined else None
    values["num_samples"] = sum(row.num_samples for row in rows)
    return MetricRow(**values)
