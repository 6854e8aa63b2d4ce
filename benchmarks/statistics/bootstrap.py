"""Stratified bootstrap intervals of several metrics at once: BCa, and basic where a metric is too biased for that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from scipy.special import ndtr, ndtri

from emocal_rl.benchmarks.vecbench.outcomes import BoolArray, FloatArray, IntArray
from emocal_rl.platform.progress import Progress, SilentProgress

_ELEMENTS_AT_ONCE = 2_000_000
"""Weights in memory at a time: 16 MB, whatever the number of rows and resamples."""


_MAX_BIAS = 1.0
"""Largest bias correction z0 that BCa is trusted with: 84 % of the resamples on one side of the estimate."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval: bias-corrected and accelerated, or basic (`Resampled.intervals`)."""

    lower: float
    upper: float
    method: Literal["bca", "basic"] = "bca"


class Statistic(Protocol):
    """m metrics of n rows, as functions of how often each row counts. NaN where a metric is undefined."""

    def under_weights(self, weights: FloatArray) -> FloatArray:
        """Return the (m, b) metrics under (n, b) weights."""

    def leave_one_out(self) -> FloatArray:
        """Return the (m, n) metrics without each row in turn."""


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """Metrics of a sample, (m,), of its resamples, (m, num_resamples), and without each row in turn, (m, n).

    `strata`: (n,) number of the stratum that each row was resampled within.
    """

    estimate: FloatArray
    replicates: FloatArray
    leave_one_out: FloatArray
    strata: IntArray

    def intervals(
        self, level: float = 0.95, *, bounds: tuple[float, float] = (-np.inf, np.inf)
    ) -> list[Interval | None]:
        """Return the interval of each metric, None where there is none.

        There is none where the metric is undefined on the sample or without one of its rows, and where all resamples
        agree. The interval is BCa (Efron 1987; acceleration by stratum) unless nearly all resamples lie on one side of
        the estimate, as those of a nearly calibrated ECE do: noise only ever adds to it. BCa then shrinks to the edge
        of the resamples, and the percentile interval keeps the bias twice. The basic one, the resamples mirrored at
        the estimate, takes the bias off instead, and so may lie wholly below the estimate. Simulated with 200 samples
        whose true ECE is .05, 95 % intervals hold it in 50 % (BCa), 6 % (percentile) and 85 % (basic) of cases.

        Args:
            level: of confidence.
            bounds: what the metrics' values lie within; a mirrored limit beyond is moved there.
        """
        each = zip(self.estimate, self.replicates, self.leave_one_out, strict=True)
        return [_interval(float(value), drawn, without, self.strata, level, bounds) for value, drawn, without in each]


def resample(
    statistics: Sequence[Statistic],
    rows: Sequence[BoolArray],
    strata: IntArray,
    *,
    num_resamples: int,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> list[Resampled]:
    """Draw the rows of each stratum with replacement, `num_resamples` times, and compute every statistic on each draw.

    Args:
        statistics: each over its own `rows`.
        rows: (n,) each, the part of the sample that a statistic is over; a stratum lies wholly inside or outside.
        strata: (n,) number of each row's stratum.
        num_resamples: how many draws.
        rng: source of the draws.
        progress: told the number of draws.
    """
    progress = progress or SilentProgress()
    progress.phase("resampling", num_resamples)
    replicates: list[list[FloatArray]] = [[] for _ in statistics]
    for weights in _draws(strata, num_resamples, rng):
        for statistic, part, values in zip(statistics, rows, replicates, strict=True):
            values.append(statistic.under_weights(weights[part]))
        progress.advance(weights.shape[1])
    once = np.ones((len(strata), 1))
    return [
        Resampled(
            statistic.under_weights(once[part])[:, 0],
            np.concatenate(values, axis=1),
            statistic.leave_one_out(),
            strata[part],
        )
        for statistic, part, values in zip(statistics, rows, replicates, strict=True)
    ]


def average(parts: Sequence[Resampled]) -> Resampled:
    """Return the unweighted mean of metrics of disjoint parts of one sample, over those parts where it is defined."""
    defined = np.isfinite([part.estimate for part in parts])
    shares = defined / np.maximum(defined.sum(axis=0), 1)

    def scaled(values: FloatArray, number: int) -> FloatArray:
        return np.where(defined[number][:, None], values * shares[number][:, None], 0.0)

    estimate = np.sum([scaled(part.estimate[:, None], number) for number, part in enumerate(parts)], axis=0)
    without = [
        estimate + scaled(part.leave_one_out - part.estimate[:, None], number) for number, part in enumerate(parts)
    ]
    return Resampled(
        np.where(defined.any(axis=0), estimate[:, 0], np.nan),
        np.sum([scaled(part.replicates, number) for number, part in enumerate(parts)], axis=0),
        np.concatenate(without, axis=1),
        np.concatenate([part.strata for part in parts]),
    )


def _draws(strata: IntArray, num_resamples: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    """Yield (n, b) counts of how often each row was drawn."""
    num_rows = len(strata)
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    at_once = max(1, _ELEMENTS_AT_ONCE // num_rows)
    for first in range(0, num_resamples, at_once):
        count = min(at_once, num_resamples - first)
        drawn = np.concatenate([rows[rng.integers(0, len(rows), (len(rows), count))] for rows in members])
        cells = drawn * count + np.arange(count)
        yield np.bincount(cells.ravel(), minlength=num_rows * count).reshape(num_rows, count).astype(np.float64)


def _interval(
    estimate: float,
    replicates: FloatArray,
    leave_one_out: FloatArray,
    strata: IntArray,
    level: float,
    bounds: tuple[float, float],
) -> Interval | None:
    replicates = replicates[np.isfinite(replicates)]
    if not np.isfinite(estimate) or not np.isfinite(leave_one_out).all() or not len(replicates):
        return None
    if np.ptp(replicates) < 1e-12:
        return None
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    bias = ndtri((np.mean(replicates < estimate) + np.mean(replicates <= estimate)) / 2)
    shifted = bias + ndtri(tails)
    stretch = 1 - _acceleration(leave_one_out, strata) * shifted
    if abs(bias) > _MAX_BIAS or (stretch <= 0).any():
        upper, lower = np.clip(2 * estimate - np.quantile(replicates, tails), *bounds)
        return Interval(float(lower), float(upper), "basic")
    lower, upper = np.quantile(replicates, ndtr(bias + shifted / stretch))
    return Interval(float(lower), float(upper))


def _acceleration(leave_one_out: FloatArray, strata: IntArray) -> float:
    size = np.bincount(strata)
    mean = np.bincount(strata, leave_one_out) / np.maximum(size, 1)
    influence = ((size - 1) / np.maximum(size, 1))[strata] * (mean[strata] - leave_one_out)
    scale = float((influence**2).sum()) ** 1.5
    return float((influence**3).sum()) / scale / 6 if scale > 0 else 0.0
