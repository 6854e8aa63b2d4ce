from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emocal_rl.benchmarks.statistics.bootstrap import Interval, Resampled, average, resample
from emocal_rl.benchmarks.statistics.weighted_metrics import METRICS, WeightedMetrics
from emocal_rl.benchmarks.vecbench.outcomes import BoolArray, Outcomes
from emocal_rl.benchmarks.vecbench.tasks import GROUPS, group_of_task
from emocal_rl.platform.progress import Progress

Intervals = Mapping[str, Interval | None]
"""By metric, named as in a protocol's `MetricRow`; None where there is none (see `Resampled.intervals`)."""


@dataclass(frozen=True, slots=True)
class IntervalTable:
    """Bootstrap intervals of every metric of a `ProtocolReport`, under its own names."""

    level: float
    num_resamples: int
    seed: int
    overall: Intervals
    overall_task_mean: Intervals
    groups: Mapping[str, Intervals]
    group_task_means: Mapping[str, Intervals]
    tasks: Mapping[str, Intervals]


def interval_table(
    outcomes: Outcomes,
    *,
    num_resamples: int = 2000,
    seed: int = 0,
    num_bins: int = 10,
    level: float = 0.95,
    progress: Progress | None = None,
) -> IntervalTable:
    """Return the intervals of outcomes under any protocol, resampled within each task; there is at least one row."""
    scopes = _scopes(outcomes)
    metrics = [WeightedMetrics(outcomes.where(rows), num_bins=num_bins) for rows in scopes.values()]
    rng = np.random.default_rng(seed)
    drawn = resample(
        metrics, list(scopes.values()), outcomes.task, num_resamples=num_resamples, rng=rng, progress=progress
    )
    resampled = dict(zip(scopes, drawn, strict=True))

    def intervals(part: Resampled) -> Intervals:
        return dict(zip(METRICS, part.intervals(level, bounds=(0.0, 1.0)), strict=True))

    tasks = {name: part for (kind, name), part in resampled.items() if kind == "task"}
    groups = {name: part for (kind, name), part in resampled.items() if kind == "group"}
    means = {group: average([part for task, part in tasks.items() if group_of_task(task) == group]) for group in groups}
    return IntervalTable(
        level,
        num_resamples,
        seed,
        overall=intervals(resampled["overall", ""]),
        overall_task_mean=intervals(average(list(tasks.values()))),
        groups={group: intervals(part) for group, part in groups.items()},
        group_task_means={group: intervals(part) for group, part in means.items()},
        tasks={task: intervals(part) for task, part in tasks.items()},
    )


def _scopes(outcomes: Outcomes) -> dict[tuple[str, str], BoolArray]:
    """Return the rows of every task and group that occurs, and of all."""
    group = np.array([group_of_task(task) for task in outcomes.tasks])[outcomes.task]
    scopes = {("task", task): outcomes.task == code for code, task in enumerate(outcomes.tasks)}
    scopes |= {("group", name): group == name for name in GROUPS}
    scopes = {name: rows for name, rows in scopes.items() if rows.any()}
    return {**scopes, ("overall", ""): np.ones(len(outcomes), dtype=np.bool_)}
