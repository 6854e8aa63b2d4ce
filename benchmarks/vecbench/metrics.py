"""Metrics over answers and (confidence, outcome) pairs.

In NumPy because importing scikit-learn takes longer than scoring VECBench; the tests hold them to scikit-learn's.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
CodeArray = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bin [lower, upper) of a reliability diagram, the last one closed. The means are None where it is empty."""

    lower: float
    upper: float
    count: int
    mean_confidence: float | None
    accuracy: float | None


def reliability_bins(confidence: FloatArray, outcome: FloatArray, *, num_bins: int = 10) -> list[ReliabilityBin]:
    """Return the equal-width bins over [0, 1].

    Args:
        confidence: (n,) in [0, 1].
        outcome: (n,) 0 or 1, or the known probability of being right.
        num_bins: how many bins.
    """
    # k / n is the float nearest to the decimal edge, as a confidence read from text is nearest to what was written; so
    # .3 is in [.3, .4). linspace(0, 1, 11) would have 0.30000000000000004 there and put .3, .6 and .7 one bin low.
    edges = [number / num_bins for number in range(num_bins + 1)]
    index = np.searchsorted(edges[1:-1], confidence, side="right")
    bins = []
    for number in range(num_bins):
        inside = index == number
        means = (float(confidence[inside].mean()), float(outcome[inside].mean())) if inside.any() else (None, None)
        bins.append(ReliabilityBin(edges[number], edges[number + 1], int(inside.sum()), *means))
    return bins


def expected_calibration_error(confidence: FloatArray, outcome: FloatArray, *, num_bins: int = 10) -> float:
    """Return the mean |confidence - accuracy| over the bins, weighted by their counts; (n,) arrays, n > 0."""
    total = 0.0
    for entry in reliability_bins(confidence, outcome, num_bins=num_bins):
        if entry.mean_confidence is not None and entry.accuracy is not None:
            total += entry.count * abs(entry.mean_confidence - entry.accuracy)
    return total / len(confidence)


def brier_score(confidence: FloatArray, outcome: FloatArray) -> float:
    """Return the Brier score; where `outcome` is a known probability p, its expectation p (1-c)^2 + (1-p) c^2."""
    return float(np.mean(outcome * (1 - confidence) ** 2 + (1 - outcome) * confidence**2))


def roc_auc(confidence: FloatArray, outcome: FloatArray) -> float | None:
    """Return the area under the ROC curve of confidence as a predictor of being right; None with one class only.

    A known probability p counts as p of a right and 1 - p of a wrong answer.
    """
    if not 0.0 < outcome.sum() < len(outcome):
        return None
    _, place = np.unique(confidence, return_inverse=True)
    right, wrong = np.bincount(place, outcome), np.bincount(place, 1 - outcome)
    below = np.cumsum(wrong) - wrong / 2  # a tie counts half
    return float((right * below).sum() / (right.sum() * wrong.sum()))


def f1_scores(label: CodeArray, answer: CodeArray) -> tuple[float, float]:
    """Return (macro, support-weighted) F1 over the labels that occur; an answer that is none of them is just wrong.

    Args:
        label: (n,) codes, 0 and up.
        answer: (n,) codes, -1 where no label is named.
    """
    support = np.bincount(label)
    hits = np.bincount(label[label == answer], minlength=len(support))
    named = np.bincount(answer[(answer >= 0) & (answer < len(support))], minlength=len(support))
    occurs = support > 0
    f1 = 2 * hits[occurs] / (support + named)[occurs]
    return float(f1.mean()), float((f1 * support[occurs]).sum() / len(label))
