from collections.abc import Callable

import numpy as np

from emocal_rl.benchmarks.recalibration.methods import Calibrator
from emocal_rl.benchmarks.vecbench.outcomes import FloatArray, IntArray


def cross_fit(
    fit: Callable[[FloatArray, FloatArray], Calibrator],
    confidence: FloatArray,
    outcome: FloatArray,
    strata: IntArray,
    *,
    num_folds: int = 5,
    seed: int = 0,
) -> FloatArray:
    """Recalibrate every confidence by a fit on the other folds, so that no sample's outcome touches its own.

    Args:
        fit: one of `METHODS`.
        confidence: (n,) in [0, 1], n >= num_folds.
        outcome: (n,) 0 or 1.
        strata: (n,) numbers (tasks); each is spread evenly over the folds.
        num_folds: at least 2.
        seed: of the folds; the same seed gives the same result.

    Returns:
        (n,) recalibrated confidences.
    """
    assert 2 <= num_folds <= len(confidence)
    shuffled = np.lexsort((np.random.default_rng(seed).random(len(strata)), strata))
    fold = np.empty(len(strata), dtype=np.int32)
    fold[shuffled] = np.arange(len(strata)) % num_folds
    recalibrated = np.empty(len(confidence))
    for number in range(num_folds):
        held_out = fold == number
        recalibrated[held_out] = fit(confidence[~held_out], outcome[~held_out])(confidence[held_out])
    return recalibrated
