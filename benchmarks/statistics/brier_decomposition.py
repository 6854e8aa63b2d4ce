from dataclasses import dataclass

import numpy as np

from emocal_rl.benchmarks.statistics.calibration_error import Binned
from emocal_rl.benchmarks.vecbench.outcomes import FloatArray


@dataclass(frozen=True, slots=True)
class BrierDecomposition:
    """The terms of the Brier score over bins of confidence (Murphy 1973, Stephenson, Coelho & Jolliffe 2008).

    `reliability` (lower is better) is how far the bins' confidences are from their accuracies, `resolution` (higher is
    better) how far these are from the overall one, `uncertainty` the score of that one accuracy stated throughout. The
    within-bin terms are what binning hides; with them the sum is exact. `reliability_debiased` is without the part that
    chance puts into small bins (Bröcker 2012; a bin of one sample keeps it), and may be slightly below 0.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_bin_variance: float
    within_bin_covariance: float
    reliability_debiased: float

    @property
    def brier(self) -> float:
        """The Brier score, exactly."""
        return self.reliability - self.generalized_resolution + self.uncertainty

    @property
    def generalized_resolution(self) -> float:
        """Resolution with what varies within the bins (Stephenson et al. 2008, equation 7): three terms are exact."""
        return self.resolution - self.within_bin_variance + self.within_bin_covariance


def brier_decomposition(confidence: FloatArray, outcome: FloatArray, binned: Binned) -> BrierDecomposition:
    """Decompose the Brier score of (n,) confidences and outcomes (0 or 1) over their bins."""
    mean, share = outcome.mean(), binned.share
    chance = binned.accuracy * (1 - binned.accuracy) / np.maximum(binned.size - 1, 1)
    apart = confidence - binned.confidence[binned.row]
    return BrierDecomposition(
        reliability=float(share @ binned.gap**2),
        resolution=float(share @ (binned.accuracy - mean) ** 2),
        uncertainty=float(mean * (1 - mean)),
        within_bin_variance=float(np.mean(apart**2)),
        within_bin_covariance=float(2 * np.mean(apart * (outcome - binned.accuracy[binned.row]))),
        reliability_debiased=float(share @ (binned.gap**2 - chance)),
    )
