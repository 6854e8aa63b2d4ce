import numpy as np

from emocal_rl.rewards.advantages.raw import Rewards


def group_normalized(advantages: Rewards, rewards: Rewards, *, epsilon: float) -> Rewards:
    """Divide advantages by their group's standard deviation of the rewards plus epsilon: (..., G) -> (..., G).

    The standard deviation is the unbiased one (n - 1, as torch.std), which GRPO implementations use (arXiv 2402.03300).
    A group of equal rewards has advantages of 0, also without epsilon.
    """
    is_constant = np.ptp(rewards, axis=-1, keepdims=True) == 0.0
    scale = np.std(rewards, axis=-1, ddof=1, keepdims=True) + epsilon
    return np.where(is_constant, 0.0, advantages / np.where(is_constant, 1.0, scale))
