import numpy as np
import numpy.typing as npt

Rewards = npt.NDArray[np.float64]


def raw(rewards: Rewards) -> Rewards:
    """R - mean(R) over the group (paper, equation 5): (..., G) -> (..., G)."""
    mean: Rewards = np.mean(rewards, axis=-1, keepdims=True)
    return rewards - mean
