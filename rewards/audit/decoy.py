"""The decoy: an answer that is chosen to be wrong, with a low confidence, that beats the honest best answer."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emocal_rl.rewards.audit.honest_value import HonestValue, audit_honest_value
from emocal_rl.rewards.audit.landscape import Array, Landscape
from emocal_rl.rewards.audit.sign_change import sign_change

NUM_CLASSES = (2, 3, 6, 7, 8, 25)
_ALMOST_ZERO = 1e-12
_LOW = 0.01


@dataclass(frozen=True)
class Decoy:
    """One kind of decoy and the p below which it beats an honest best answer; None where it never does.

    `num_classes`: the rest of the probability is uniform, q = (1 - p) / (K - 1), and the decoy is honest about q; None
    for a label that is certainly wrong, stated with `confidence`. `unclipped`: the rule's `clip` at 0.
    """

    num_classes: int | None
    confidence: float | None
    configured: float | None
    unclipped: float | None


def audit_decoys(landscape: Landscape, value: HonestValue, unclipped: Landscape, num_classes: int) -> list[Decoy]:
    """Find the break-even p for a certainly wrong label at c -> 0 and at 0.01, then by number of classes."""
    curves = (landscape, value), (unclipped, value if unclipped is landscape else audit_honest_value(unclipped))
    decoys = []
    for confidence in (0.0, _LOW):
        configured, limit = (certain_break_even(*curve, confidence) for curve in curves)
        decoys.append(Decoy(None, confidence, configured, limit))
    for classes in sorted({*NUM_CLASSES, num_classes}):
        configured, limit = (uniform_break_even(*curve, classes) for curve in curves)
        decoys.append(Decoy(classes, None, configured, limit))
    return decoys


def certain_break_even(landscape: Landscape, value: HonestValue, confidence: float) -> float | None:
    """Return the p below which a certainly wrong answer stated with `confidence` (0: the limit) beats honesty."""
    decoy = landscape.best_wrong(confidence or _ALMOST_ZERO)
    return _break_even(value, lambda p: decoy - landscape.honest(p), decoy - value.values, lowest=0.0)


def uniform_break_even(landscape: Landscape, value: HonestValue, num_classes: int) -> float | None:
    """Return the p below which one of K - 1 equally likely wrong answers, honestly stated, beats the best answer."""

    def advantage(p: float) -> float:
        return landscape.honest((1 - p) / (num_classes - 1)) - landscape.honest(p)

    known = np.concatenate([[_ALMOST_ZERO], value.probabilities])
    values = np.concatenate([[landscape.honest(_ALMOST_ZERO)], value.values])
    others = np.interp((1 - value.probabilities) / (num_classes - 1), known, values)
    return _break_even(value, advantage, others - value.values, lowest=1 / num_classes)


def _break_even(
    value: HonestValue, advantage: Callable[[float], float], scanned: Array, *, lowest: float
) -> float | None:
    """Return the largest p at which the decoy's advantage turns negative; it must be the best answer: p > `lowest`."""
    wins = np.flatnonzero((scanned > 1e-9) & (value.probabilities > lowest + 1e-6))
    if not wins.size:
        return None
    last = int(wins[-1])
    if last == len(scanned) - 1:
        return 1.0
    low, high = value.probabilities[last : last + 2].tolist()
    return sign_change(advantage, low, high) if advantage(low) > 0 >= advantage(high) else float(low)
