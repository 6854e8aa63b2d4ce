"""Stage-2 targets (paper equation 2)."""

import numpy as np
import numpy.typing as npt

from emocal_rl.platform.emotions.ring import RING_POSITIONS, Rings, ring_distance
from emocal_rl.platform.emotions.taxonomy import Taxonomy


def mean_token_probability(logprobs: npt.NDArray[np.float32]) -> float:
    """Return p of equation 2: the mean probability of the response's tokens, from (T,) log-probs as sampled."""
    return float(np.exp(logprobs.astype(np.float64)).mean())


def confidence_label(
    answer: str, label: str, probability: float, taxonomy: Taxonomy, rings: Rings = RING_POSITIONS
) -> float:
    """c* of equation 2: 0.5 (1 + p) when right, 0.5 - d p when wrong, rounded to two decimals.

    Args:
        answer: the policy's answer, a canonical label of `taxonomy`.
        label: the true label.
        probability: mean token probability p in [0, 1].
        taxonomy: whose ring gives the distance d in [0, 0.5].
        rings: the rings, the shipped ones unless given.
    """
    if answer == label:
        return round(0.5 * (1 + probability), 2)
    return round(0.5 - ring_distance(taxonomy, answer, label, rings) * probability, 2)
