from dataclasses import dataclass

import numpy as np

from emocal_rl.rewards.audit.landscape import Array, Landscape
from emocal_rl.rewards.audit.sign_change import sign_change

PROBABILITIES: Array = np.arange(1, 1000) / 1000
"""Three decimals, without the ends: a rule may refuse 0 and 1 themselves."""
_STEP = 1e-4


@dataclass(frozen=True)
class Fall:
    """An interval of p in which honesty pays less the better the answer is; `depth` is what is lost over it."""

    start: float
    end: float
    depth: float


@dataclass(frozen=True)
class HonestValue:
    """What a calibrated policy earns as a function of p: `values` at `probabilities`, and where they fall."""

    probabilities: Array
    values: Array
    falls: tuple[Fall, ...]

    @property
    def minimum(self) -> tuple[float, float]:
        """The p at which honesty pays least, and what it pays there."""
        return float(self.probabilities[self.values.argmin()]), float(self.values.min())


def audit_honest_value(landscape: Landscape, probabilities: Array = PROBABILITIES) -> HonestValue:
    """Evaluate the curve on a grid; the ends of a fall are refined between its points."""
    values = probabilities * landscape.rights(probabilities) + (1 - probabilities) * landscape.wrongs(probabilities)
    falling = np.diff(values) < -1e-9
    edges = np.flatnonzero(np.diff(np.concatenate([[False], falling, [False]]).astype(int)))
    falls = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        start = 0.0 if first == 0 else _turning_point(landscape, *probabilities[[first - 1, first + 1]])
        end = 1.0 if last == len(values) - 1 else _turning_point(landscape, *probabilities[[last - 1, last + 1]])
        falls.append(Fall(start, end, float(values[first] - values[last])))
    return HonestValue(probabilities, values, tuple(falls))


def _turning_point(landscape: Landscape, low: float, high: float) -> float:
    """Refine the extremum between two grid points."""

    def slope(p: float) -> float:
        return landscape.honest(min(p + _STEP, 1.0)) - landscape.honest(max(p - _STEP, 0.0))

    turns = (slope(low) > 0) != (slope(high) > 0)
    return sign_change(slope, low, high) if turns else (low + high) / 2
