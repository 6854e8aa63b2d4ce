"""The metrics of the released evaluator, with its operations in its order.

So they are its numbers to the last bit, and ties (3.125 %) round as in its logs.
"""

import numpy as np

from emocal_rl.benchmarks.vecbench.metrics import FloatArray
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes

OPEN_EDGES: tuple[float, ...] = tuple(np.linspace(0.0, 1.0, 11).tolist())
"""Edges of the bins of the released ECE, whose .3, .6 and .7 are a float too high."""


def weighted_f1(outcomes: Outcomes) -> float:
    """Return F1 weighted by support, added up by name as scikit-learn does; at least one row, each with an answer."""
    num_names = len(outcomes.names)
    alphabetical = sorted(range(num_names), key=outcomes.names.__getitem__)
    hits, support, named = (
        np.bincount(codes, minlength=num_names)[alphabetical]
        for codes in (outcomes.label[outcomes.correct], outcomes.label, outcomes.answer)
    )
    occurs = support + named > 0
    f1 = 2 * hits[occurs] / (support + named)[occurs]
    return float((f1 * support[occurs]).sum() / len(outcomes))


def open_bin_error(confidence: FloatArray, correct: FloatArray) -> float:
    """Return the released ECE: 10 bins [lower, upper) between `OPEN_EDGES`, so that .3, .6 and .7 are one bin low.

    A confidence of 1.0 or NaN is in no bin, yet in the denominator. (n,) arrays, n > 0.
    """
    place, total = np.searchsorted(OPEN_EDGES, confidence, side="right") - 1, 0.0
    for number in np.unique(place[place < len(OPEN_EDGES) - 1]):
        inside = place == number
        total += float(abs(correct[inside].mean() - confidence[inside].mean()) * inside.mean())
    return total


def curve_area(confidence: FloatArray, correct: FloatArray) -> float | None:
    """Return the AUC as the trapezoids below the corners of the ROC curve; None where all are right, or all wrong."""
    if not 0.0 < correct.sum() < len(correct):
        return None
    _, place = np.unique(-confidence, return_inverse=True)
    right, wrong = (np.cumsum(np.bincount(place, outcome)) for outcome in (correct, 1 - correct))
    corners = np.ones(len(right), dtype=np.bool_)
    corners[1:-1] = (np.diff(right, 2) != 0) | (np.diff(wrong, 2) != 0)
    return float(np.trapezoid(np.r_[0, right[corners]] / right[-1], np.r_[0, wrong[corners]] / wrong[-1]))
