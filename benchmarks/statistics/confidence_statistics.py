from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emocal_rl.benchmarks.statistics.brier_decomposition import BrierDecomposition, brier_decomposition
from emocal_rl.benchmarks.statistics.calibration_error import (
    calibration_error,
    debiased_calibration_error,
    equal_mass,
    equal_width,
    error_if_calibrated,
    maximum_calibration_error,
)
from emocal_rl.benchmarks.statistics.selective_prediction import risk_coverage
from emocal_rl.benchmarks.statistics.smooth_calibration_error import smooth_calibration_error
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes

COVERAGES = (0.5, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class ConfidenceStatistics:
    """What the stated confidences of some samples are worth, beyond the protocol's ECE, Brier and AUC; as fractions.

    `ece_if_calibrated` is the 97.5 % quantile of the ECE that these confidences would show if they were exact.
    `accuracy_at_coverage`: accuracy on the most confident share of the stated ones.
    """

    num_samples: int
    num_stated: int
    ece: float
    ece_if_calibrated: float
    ece_debiased: float
    ece_equal_mass: float
    ece_smooth: float
    mce: float
    brier: float
    decomposition: BrierDecomposition
    aurc: float
    e_aurc: float
    accuracy_at_coverage: Mapping[float, float]


def confidence_statistics(outcomes: Outcomes, *, num_bins: int = 10, seed: int = 0) -> ConfidenceStatistics | None:
    """Return the statistics of the samples with a valid confidence, None where there are none.

    `seed` is of the draws behind `ece_if_calibrated`.
    """
    stated = outcomes.where(outcomes.stated)
    if not len(stated):
        return None
    confidence, correct = stated.confidence, stated.correct.astype(np.float64)
    binned = equal_width(confidence, correct, num_bins)
    decomposition = brier_decomposition(confidence, correct, binned)
    curve = risk_coverage(confidence, correct)
    return ConfidenceStatistics(
        num_samples=len(outcomes),
        num_stated=len(stated),
        ece=calibration_error(binned),
        ece_if_calibrated=error_if_calibrated(confidence, num_bins=num_bins, seed=seed),
        ece_debiased=debiased_calibration_error(binned),
        ece_equal_mass=calibration_error(equal_mass(confidence, correct, num_bins)),
        ece_smooth=smooth_calibration_error(confidence, correct),
        mce=maximum_calibration_error(binned),
        brier=decomposition.brier,
        decomposition=decomposition,
        aurc=curve.area,
        e_aurc=curve.excess_area,
        accuracy_at_coverage={coverage: curve.accuracy_at(coverage) for coverage in COVERAGES},
    )
