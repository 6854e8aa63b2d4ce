from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student_t


def seed_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """Return Student's two-sided interval of the mean of a few runs; None for fewer than two."""
    if len(values) < 2:
        return None
    sample = np.asarray(values, dtype=float)
    half = float(student_t.ppf((1 + level) / 2, len(sample) - 1) * sample.std(ddof=1) / np.sqrt(len(sample)))
    mean = float(sample.mean())
    return mean - half, mean + half
