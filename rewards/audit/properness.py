from dataclasses import dataclass
from typing import Literal

import numpy as np

from emocal_rl.rewards.audit.landscape import CONFIDENCES, Array, Landscape

_TOLERANCE = 0.01 + 1e-9
"""One step of the two-decimal grid: a rule may refuse 0 and 1 themselves."""


@dataclass(frozen=True)
class Properness:
    """Does the expected reward peak at the honest confidence?

    `expected[i, j]`: expected total of p = i / 100 stated as c = j / 100. `best[i]`: c*(p), of several that are as good
    the one farthest from p. `gain[i]`: what c*(p) earns over honesty. `bias`: largest |c*(p) - p|.
    A rule is `flat` where honesty is among the best but another confidence, more than 0.01 away, is as good.
    """

    expected: Array
    best: Array
    gain: Array
    bias: float
    verdict: Literal["proper", "flat", "improper"]

    @property
    def most_gain(self) -> tuple[float, float, float]:
        """The largest gain of a misreport, with its p and c*: of p in [0.01, 0.99], as a rule may refuse 0 and 1."""
        index = 1 + int(np.nan_to_num(self.gain[1:-1]).argmax())
        return float(self.gain[index]), float(CONFIDENCES[index]), float(self.best[index])

    @property
    def worst_probability(self) -> float:
        """The p whose c*(p) is farthest from it."""
        return float(CONFIDENCES[np.argmax(np.abs(self.best - CONFIDENCES))])

    @property
    def worst_confidence(self) -> float:
        """c* at `worst_probability`."""
        return float(self.best[np.argmax(np.abs(self.best - CONFIDENCES))])


def audit_properness(landscape: Landscape) -> Properness:
    """Evaluate every p and every c of two decimals. A cell in which a response would be masked is no candidate."""
    expected = expected_totals(landscape)
    candidates = np.where(np.isnan(expected), -np.inf, expected)
    highest = candidates.max(axis=1, keepdims=True)
    is_best = candidates >= highest - 1e-9 * np.maximum(1.0, np.abs(highest))
    distance = np.abs(CONFIDENCES[None] - CONFIDENCES[:, None])
    farthest = np.where(is_best, distance, -1.0).argmax(axis=1)
    nearest = np.where(is_best, distance, np.inf).min(axis=1)
    best = CONFIDENCES[farthest]
    bias = float(np.abs(best - CONFIDENCES).max())
    verdict: Literal["proper", "flat", "improper"] = "proper" if bias <= _TOLERANCE else "flat"
    if nearest.max() > _TOLERANCE:
        verdict = "improper"
    honest = np.diagonal(expected)
    return Properness(expected, best, highest[:, 0] - honest, bias, verdict)


def expected_totals(landscape: Landscape) -> Array:
    """Return the (101, 101) expected totals over (p, c); NaN where the response would be masked."""
    p = CONFIDENCES[:, None]
    right = np.where(p > 0, p * landscape.rights(CONFIDENCES)[None], 0.0)
    wrong = np.where(p < 1, (1 - p) * landscape.wrongs(CONFIDENCES)[None], 0.0)
    total: Array = right + wrong
    return total
