"""Where a policy that has settled on one confidence stays, when correctness is shared by the group."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emocal_rl.rewards.audit.landscape import CONFIDENCES, Array, Landscape

_OUTER = 0.1


def stable_confidences(right: Array, wrong: Array, probability: float, *, normalize: bool) -> npt.NDArray[np.bool_]:
    """Tell at which levels a settled policy stays.

    A policy with all its mass on one level is left when rare responses one level up or down gain. Raw, a deviation
    gains what its expected total gains. Normalised, a single deviating response has advantage +-(G - 1) / sqrt(G), by
    the sign of its total's difference alone: with right and wrong answers pulling apart, what decides is whether p is
    above one half, whatever the size of the group. Exact.

    Args:
        right: (L,) totals of right answers by level.
        wrong: (L,) totals of wrong answers.
        probability: success probability of the answer.
        normalize: whether advantages are divided by the group's standard deviation.
    """
    rising = [np.diff(totals) for totals in (right, wrong)]
    if normalize:
        rising = [np.sign(np.where(np.abs(step) > 1e-12, step, 0.0)) for step in rising]
    up = probability * rising[0] + (1 - probability) * rising[1]
    stays: npt.NDArray[np.bool_] = np.concatenate([up <= 1e-12, [True]]) & np.concatenate([[True], up >= -1e-12])
    return stays


def polarises(landscape: Landscape, probabilities: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)) -> bool:
    """Tell whether normalised advantages leave a settled policy no stable confidence but the outer ones.

    That is the highest tenth where p is above one half, and the lowest where it is below. Of two decimals, without 0
    and 1 themselves, which a rule may refuse.
    """
    inner = CONFIDENCES[1:-1]
    right, wrong = landscape.rights(inner), landscape.wrongs(inner)
    for p in probabilities:
        stable = inner[stable_confidences(right, wrong, p, normalize=True)]
        if not stable.size or not ((stable >= 1 - _OUTER).all() if p > 0.5 else (stable <= _OUTER).all()):
            return False
    return True
