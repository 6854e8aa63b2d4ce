"""Two ways of training, several seeds each: how much better is one, and is it luck with the test images?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emocal_rl.benchmarks.statistics.bootstrap import Interval, Resampled, Statistic, average, resample
from emocal_rl.benchmarks.statistics.weighted_metrics import METRICS, WeightedMetrics
from emocal_rl.benchmarks.vecbench.outcomes import BoolArray, FloatArray, IntArray, Outcomes
from emocal_rl.benchmarks.vecbench.tasks import GROUPS, group_of_task

AVERAGE = "Average"
_TASK_MEANS = ("accuracy", "f1_macro", "f1_weighted")
"""Metrics of a group that are the mean of its tasks', as in the paper; the others pool its samples."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean over seeds of second - first, with its BCa interval over images; None where there is none."""

    value: float | None
    interval: Interval | None


@dataclass(frozen=True, eq=False)
class SeedPair:
    """Both models' outcomes on the same images in the same order, under one seed; `ids` name the images."""

    ids: Sequence[str]
    first: Outcomes
    second: Outcomes


def compare_seeds(
    pairs: Sequence[SeedPair], *, num_resamples: int = 2000, seed: int = 0, level: float = 0.95, num_bins: int = 10
) -> dict[str, dict[str, Difference]]:
    """Compare by group of tasks and on their average: scope -> metric -> difference.

    Images are resampled within their task, each for all seeds and both models at once: its answers belong together.

    Args:
        pairs: one for each seed; a seed may have been asked about other images than the next.
        num_resamples: of the bootstrap.
        seed: of the bootstrap.
        level: of the intervals.
        num_bins: of the calibration error.
    """
    images = _Images.of(pairs)
    tasks = [task for task in images.tasks if group_of_task(task) is not None]
    inside: dict[tuple[str, str], BoolArray] = {("task", task): images.is_task(task) for task in tasks}
    groups = [group for group in GROUPS if any(group_of_task(task) == group for task in tasks)]
    inside |= {
        ("group", group): np.any([inside["task", task] for task in tasks if group_of_task(task) == group], axis=0)
        for group in groups
    }
    statistics: list[Statistic] = [_MeanDifference(pairs, images, rows, num_bins) for rows in inside.values()]
    rng = np.random.default_rng(seed)
    drawn = dict(
        zip(
            inside,
            resample(statistics, list(inside.values()), images.task, num_resamples=num_resamples, rng=rng),
            strict=True,
        )
    )
    means = {group: average([drawn["task", t] for t in tasks if group_of_task(t) == group]) for group in groups}
    pooled = {group: drawn["group", group] for group in groups}
    scopes = {group: (means[group], pooled[group]) for group in groups}
    if len(groups) > 1:
        scopes[AVERAGE] = (average(list(means.values())), average(list(pooled.values())))
    return {scope: _differences(*parts, level) for scope, parts in scopes.items()}


@dataclass(frozen=True, eq=False)
class _Images:
    """The images of all seeds, and the number of each one's task: the rows that are resampled."""

    place: Mapping[str, int]
    tasks: Sequence[str]
    task: IntArray

    @classmethod
    def of(cls, pairs: Sequence[SeedPair]) -> "_Images":
        found: dict[str, str] = {}
        for pair in pairs:
            for name, code in zip(pair.ids, pair.first.task, strict=True):
                found[name] = pair.first.tasks[code]
        tasks = list(dict.fromkeys(found.values()))
        task = np.array([tasks.index(name) for name in found.values()], dtype=np.int32)
        return cls({name: row for row, name in enumerate(found)}, tasks, task)

    def is_task(self, task: str) -> BoolArray:
        found: BoolArray = self.task == self.tasks.index(task)
        return found


class _MeanDifference:
    """Mean over the seeds of second - first, on the images of a mask: a `Statistic` of m metrics."""

    def __init__(self, pairs: Sequence[SeedPair], images: _Images, inside: BoolArray, num_bins: int) -> None:
        self._num_rows = int(inside.sum())
        row_of = np.cumsum(inside) - 1
        self._seeds = []
        for pair in pairs:
            places = np.array([images.place[name] for name in pair.ids])
            kept = inside[places]
            if kept.any():
                both = [WeightedMetrics(each.where(kept), num_bins=num_bins) for each in (pair.first, pair.second)]
                self._seeds.append((row_of[places[kept]], *both))

    def under_weights(self, weights: FloatArray) -> FloatArray:
        values = [
            second.under_weights(weights[rows]) - first.under_weights(weights[rows])
            for rows, first, second in self._seeds
        ]
        mean: FloatArray = np.mean(values, axis=0)
        return mean

    def leave_one_out(self) -> FloatArray:
        """An image that a seed was not asked about leaves that seed's difference as it is."""
        whole = self.under_weights(np.ones((self._num_rows, 1)))
        without = np.repeat(whole, self._num_rows, axis=1)
        for rows, first, second in self._seeds:
            difference = second.leave_one_out() - first.leave_one_out()
            ones = np.ones((len(rows), 1))
            alone = second.under_weights(ones) - first.under_weights(ones)
            without[:, rows] += (difference - alone) / len(self._seeds)
        return without


def _differences(means: Resampled, pooled: Resampled, level: float) -> dict[str, Difference]:
    found = {}
    for parts in (means, pooled):
        for metric, value, interval in zip(METRICS, parts.estimate, parts.intervals(level), strict=True):
            if (metric in _TASK_MEANS) == (parts is means):
                found[metric] = Difference(None if np.isnan(value) else float(value), interval)
    return found
