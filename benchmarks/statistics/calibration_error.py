"""Calibration errors beside the equal-width ECE: (n,) confidences and outcomes (0 or 1), n > 0."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from emocal_rl.benchmarks.vecbench.outcomes import FloatArray

IndexArray = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """The bins that hold samples: their sizes, mean confidences and accuracies, (k,) each, and each row's bin, (n,)."""

    size: FloatArray
    confidence: FloatArray
    accuracy: FloatArray
    row: IndexArray

    @property
    def share(self) -> FloatArray:
        """Share of the samples in each bin, (k,)."""
        total: np.float64 = self.size.sum()
        return self.size / total

    @property
    def gap(self) -> FloatArray:
        """Mean confidence minus accuracy of each bin, (k,)."""
        return self.confidence - self.accuracy


def equal_width(confidence: FloatArray, outcome: FloatArray, num_bins: int = 10) -> Binned:
    """Bin by exact decimal edges, as `reliability_bins` does."""
    edges = [number / num_bins for number in range(1, num_bins)]
    return _binned(np.searchsorted(edges, confidence, side="right"), confidence, outcome)


def equal_mass(confidence: FloatArray, outcome: FloatArray, num_bins: int = 10) -> Binned:
    """Bin by quantiles of the confidences, as scikit-learn's `calibration_curve(strategy="quantile")` does.

    Equal confidences stay together, so that verbalised ones, of few distinct values, fill fewer and unequal bins.
    """
    edges = np.quantile(confidence, np.arange(1, num_bins) / num_bins)
    return _binned(np.searchsorted(edges, confidence), confidence, outcome)


def calibration_error(binned: Binned) -> float:
    """Return the mean |confidence - accuracy| over the samples' bins: the ECE of this binning."""
    return float(binned.share @ np.abs(binned.gap))


def maximum_calibration_error(binned: Binned) -> float:
    """Return the largest |confidence - accuracy| of any bin that holds samples (MCE)."""
    return float(np.abs(binned.gap).max())


def debiased_calibration_error(binned: Binned) -> float:
    """Return the ECE less its estimated bias, which may leave it slightly below 0 (Kumar et al. 2019, section 5).

    The bias is what the ECE would gain if every bin's accuracy were drawn once more around the observed one, in
    expectation (a folded normal). About 40 % of it goes where a bin is calibrated, nearly all where it is clearly not;
    a bin of one sample has no spread to draw from and keeps its bias.
    """
    spread = np.sqrt(binned.accuracy * (1 - binned.accuracy) / binned.size)
    gap = np.abs(binned.gap)
    with np.errstate(divide="ignore", invalid="ignore"):
        folded = 2 * spread * norm.pdf(gap / spread) + gap * (1 - 2 * norm.cdf(-gap / spread))
    redrawn = np.where(spread > 0, folded, gap)
    return float(binned.share @ (2 * gap - redrawn))


def error_if_calibrated(
    confidence: FloatArray, *, quantile: float = 0.975, num_bins: int = 10, num_draws: int = 1000, seed: int = 0
) -> float:
    """Return a quantile of the ECE of outcomes drawn with these very confidences: what honesty alone would show.

    An ECE above it is not explained by chance (consistency resampling, Bröcker & Smith 2007).
    """
    rng, edges = np.random.default_rng(seed), [number / num_bins for number in range(1, num_bins)]
    ordered = np.sort(confidence)
    starts = np.unique(np.searchsorted(ordered, [0.0, *edges]))
    starts = starts[starts < len(ordered)]
    errors = [
        np.abs(np.add.reduceat(ordered - (rng.random(len(ordered)) < ordered), starts)).sum() for _ in range(num_draws)
    ]
    return float(np.quantile(errors, quantile) / len(ordered))


def _binned(index: IndexArray, confidence: FloatArray, outcome: FloatArray) -> Binned:
    row = np.unique(index, return_inverse=True)[1]
    size = np.bincount(row).astype(np.float64)
    return Binned(size, np.bincount(row, confidence) / size, np.bincount(row, outcome) / size, row)
