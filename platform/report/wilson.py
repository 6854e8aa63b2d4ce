import math

_Z = 1.959963984540054
"""97.5 % quantile of the normal distribution."""


def wilson_interval(share: float, num_trials: float) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a probability of which `share` was seen in `num_trials` trials (> 0).

    It stays in [0, 1] and has a width where `share` is 0 or 1. Trials that are no independent draws (the same image
    asked several times) may count as a part of one, so `num_trials` need not be whole.
    """
    scale = 1 + _Z**2 / num_trials
    middle = (share + _Z**2 / (2 * num_trials)) / scale
    half = _Z / scale * math.sqrt(share * (1 - share) / num_trials + _Z**2 / (4 * num_trials**2))
    return max(0.0, middle - half), min(1.0, middle + half)
