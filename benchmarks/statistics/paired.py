"""Two models on the same samples: is one really better, or was it luck with these samples?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import binomtest

from emocal_rl.benchmarks.statistics.bootstrap import Interval, Resampled, resample
from emocal_rl.benchmarks.statistics.weighted_metrics import METRICS, WeightedMetrics
from emocal_rl.benchmarks.vecbench.outcomes import BoolArray, FloatArray, Outcomes
from emocal_rl.benchmarks.vecbench.tasks import GROUPS, group_of_task
from emocal_rl.platform.progress import Progress


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of both models; `difference` is second - first, with its interval. None where undefined."""

    first: float | None
    second: float | None
    difference: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class PairedRow:
    """Both models on one set of samples.

    Accuracy and F1 are over all samples; ECE, Brier and AUC over the `num_stated` for which both state a confidence.
    `only_first_right` and `only_second_right` count the answers on which they differ in being right, and `mcnemar_p` is
    the exact two-sided p-value of there being no difference in accuracy (McNemar 1947, as a binomial test).
    """

    num_samples: int
    num_stated: int
    only_first_right: int
    only_second_right: int
    mcnemar_p: float
    metrics: Mapping[str, Difference]


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two models compared overall and by group of tasks."""

    level: float
    num_resamples: int
    seed: int
    overall: PairedRow
    groups: Mapping[str, PairedRow]


def compare_paired(
    first: Outcomes,
    second: Outcomes,
    *,
    num_resamples: int = 2000,
    seed: int = 0,
    num_bins: int = 10,
    level: float = 0.95,
    progress: Progress | None = None,
) -> PairedComparison:
    """Compare outcomes on the same samples in the same order, n > 0, resampling both alike within each task."""
    both = first.stated & second.stated
    one, other = (replace(model, problem=np.where(both, model.problem, 0)) for model in (first, second))
    group = np.array([group_of_task(task) for task in first.tasks])[first.task]
    scopes = {name: group == name for name in GROUPS if (group == name).any()}
    scopes["overall"] = np.ones(len(first), dtype=np.bool_)
    statistics = [_BothModels(one.where(inside), other.where(inside), num_bins) for inside in scopes.values()]
    rng = np.random.default_rng(seed)
    drawn = resample(
        statistics, list(scopes.values()), first.task, num_resamples=num_resamples, rng=rng, progress=progress
    )
    rows = {
        name: _row(first.correct[inside], second.correct[inside], int(both[inside].sum()), part, level)
        for (name, inside), part in zip(scopes.items(), drawn, strict=True)
    }
    return PairedComparison(level, num_resamples, seed, rows.pop("overall"), rows)


class _BothModels:
    """The metrics of the first model, of the second, and second - first: a `Statistic` of 3 m metrics."""

    def __init__(self, first: Outcomes, second: Outcomes, num_bins: int) -> None:
        self._first, self._second = (WeightedMetrics(model, num_bins=num_bins) for model in (first, second))

    def under_weights(self, weights: FloatArray) -> FloatArray:
        return self._stacked(self._first.under_weights(weights), self._second.under_weights(weights))

    def leave_one_out(self) -> FloatArray:
        return self._stacked(self._first.leave_one_out(), self._second.leave_one_out())

    def _stacked(self, first: FloatArray, second: FloatArray) -> FloatArray:
        return np.concatenate([first, second, second - first])


def _row(first: BoolArray, second: BoolArray, num_stated: int, drawn: Resampled, level: float) -> PairedRow:
    values = [None if np.isnan(value) else float(value) for value in drawn.estimate]
    intervals = drawn.intervals(level)
    m = len(METRICS)
    metrics = {
        name: Difference(values[at], values[m + at], values[2 * m + at], intervals[2 * m + at])
        for at, name in enumerate(METRICS)
        if name != "coverage"  # the same for both by construction
    }
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    discordant = only_first + only_second
    mcnemar_p = float(binomtest(only_first, discordant).pvalue) if discordant else 1.0
    return PairedRow(len(first), num_stated, only_first, only_second, mcnemar_p, metrics)
