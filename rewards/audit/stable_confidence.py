"""Where a policy that has settled on one confidence stays, when correctness is shared by the group."""

import math

import numpy as np
import numpy.typing as npt

from emocal_rl.rewards.audit.landscape import CONFIDENCES, Array, Landscape

_OUTER = 0.1
_PROBABILITIES = (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)


def stable_confidences(
    right: Array,
    wrong: Array,
    probability: float,
    *,
    normalize: bool,
    group_size: int = 8,
    epsilon: float = 0.0,
) -> npt.NDArray[np.bool_]:
    """Tell at which levels a settled policy stays.

    A policy with all its mass on one level is left when rare responses one level up or down gain. Raw, a deviation
    gains what its expected total gains. Normalised, the standard deviation of a group with a single deviating response
    is |d| / sqrt(G), d the difference of its total, so that without epsilon its advantage is +-(G - 1) / sqrt(G), by
    the sign of d alone: with right and wrong answers pulling apart, what decides is whether p is above one half,
    whatever the size of the group. An epsilon well above |d| / sqrt(G) makes it raw again. Exact.

    Args:
        right: (L,) totals of right answers by level.
        wrong: (L,) totals of wrong answers.
        probability: success probability of the answer.
        normalize: whether advantages are divided by the group's standard deviation.
        group_size: responses of a group, which matter beside an epsilon.
        epsilon: added to the standard deviation.
    """
    rising = [np.diff(totals) for totals in (right, wrong)]
    if normalize:
        steps = [np.where(np.abs(step) > 1e-12, step, 0.0) for step in rising]
        rising = [step / np.maximum(np.abs(step) / math.sqrt(group_size) + epsilon, 1e-300) for step in steps]
    up = probability * rising[0] + (1 - probability) * rising[1]
    stays: npt.NDArray[np.bool_] = np.concatenate([up <= 1e-12, [True]]) & np.concatenate([[True], up >= -1e-12])
    return stays


def polarises(landscape: Landscape, *, group_size: int = 8, epsilon: float = 0.0) -> bool:
    """Tell whether normalised advantages leave a settled policy no stable confidence but the outer ones.

    That is the highest tenth where p is above one half, and the lowest where it is below. Of two decimals, without 0
    and 1 themselves, which a rule may refuse.
    """
    inner = CONFIDENCES[1:-1]
    right, wrong = landscape.rights(inner), landscape.wrongs(inner)
    for p in _PROBABILITIES:
        stays = stable_confidences(right, wrong, p, normalize=True, group_size=group_size, epsilon=epsilon)
        stable = inner[stays]
        if not stable.size or not ((stable >= 1 - _OUTER).all() if p > 0.5 else (stable <= _OUTER).all()):
            return False
    return True
