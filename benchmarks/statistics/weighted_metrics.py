from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from emocal_rl.benchmarks.vecbench.outcomes import FloatArray, Outcomes

METRICS = ("accuracy", "f1_macro", "f1_weighted", "ece", "brier", "auc", "mean_confidence", "coverage")
"""The metrics in their order, as named in a protocol's `MetricRow`."""


class WeightedMetrics:
    """The metrics of a set of outcomes as functions of how often each row counts: a `Statistic` for the bootstrap.

    All are functions of a few sums over the rows, so that resampling is one product with a sparse matrix of addends.
    """

    def __init__(self, outcomes: Outcomes, *, num_bins: int = 10) -> None:
        correct = outcomes.correct.astype(np.float64)
        self._num_rows, self._stated = len(outcomes), np.flatnonzero(outcomes.stated)
        confidence, self._right = outcomes.confidence[self._stated], correct[self._stated]
        self._rank = np.unique(confidence, return_inverse=True)[1]
        edges = [number / num_bins for number in range(1, num_bins)]  # exact decimal edges, as in reliability_bins
        in_bin = np.searchsorted(edges, confidence, side="right")
        known, label = np.unique(outcomes.label, return_inverse=True)
        rows, right, named = np.arange(len(outcomes)), outcomes.correct, np.flatnonzero(np.isin(outcomes.answer, known))

        def addends(group: npt.NDArray[Any], of: npt.NDArray[Any], values: FloatArray, num_groups: int) -> csr_array:
            return csr_array((values, (group, of)), shape=(num_groups, len(outcomes)))

        stated = np.zeros((3, len(outcomes)))
        stated[:, self._stated] = np.ones(len(confidence)), confidence, (confidence - self._right) ** 2
        scalars = np.stack([np.ones(len(outcomes)), correct, *stated])
        self._sums = vstack(
            [
                csr_array(scalars),
                addends(in_bin, self._stated, confidence - self._right, num_bins),
                addends(label[right], rows[right], np.ones(right.sum()), len(known)),
                addends(label, rows, np.ones(len(rows)), len(known)),
                addends(np.searchsorted(known, outcomes.answer[named]), named, np.ones(len(named)), len(known)),
            ]
        ).tocsr()
        self._splits = np.cumsum([len(scalars), num_bins, len(known), len(known)])
        ranks = 1 + self._rank.max(initial=-1)
        self._ranking = vstack(
            [
                addends(self._rank, self._stated, self._right, ranks),
                addends(self._rank, self._stated, 1 - self._right, ranks),
            ]
        ).tocsr()

    def under_weights(self, weights: FloatArray) -> FloatArray:
        """Return the (m, b) metrics under (n, b) weights."""
        right, wrong = np.split(self._ranking @ weights, 2)
        below = np.cumsum(wrong, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            auc = np.einsum("db,db->b", right, below - wrong / 2) / (right.sum(axis=0) * wrong.sum(axis=0))
        return self._metrics(self._sums @ weights, auc)

    def leave_one_out(self) -> FloatArray:
        """Return the (m, n) metrics without each row in turn."""
        addends = self._sums.toarray()
        return self._metrics(addends.sum(axis=1, keepdims=True) - addends, self._auc_without_each())

    def _auc_without_each(self) -> FloatArray:
        """Return (n,): the pairs that a row takes part in leave the sum, and their number the denominator."""
        right, wrong = np.bincount(self._rank, self._right), np.bincount(self._rank, 1 - self._right)
        below, above = np.cumsum(wrong) - wrong / 2, np.cumsum(right[::-1])[::-1] - right / 2
        ordered = right @ below
        pairs = np.where(self._right > 0, below[self._rank], above[self._rank])
        num_right, num_wrong = right.sum(), wrong.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            without = np.full(self._num_rows, np.divide(ordered, num_right * num_wrong))
            without[self._stated] = (ordered - pairs) / ((num_right - self._right) * (num_wrong - (1 - self._right)))
        return without

    def _metrics(self, sums: FloatArray, auc: FloatArray) -> FloatArray:
        scalars, gaps, right, support, named = np.split(sums, self._splits)
        count, correct, stated, confidence, squared = scalars
        with np.errstate(divide="ignore", invalid="ignore"):
            f1 = np.where(support > 0, 2 * right / (support + named), 0.0)
            metrics = {
                "accuracy": correct / count,
                "f1_macro": f1.sum(axis=0) / (support > 0).sum(axis=0),
                "f1_weighted": (f1 * support).sum(axis=0) / count,
                "ece": np.abs(gaps).sum(axis=0) / stated,
                "brier": squared / stated,
                "auc": auc,
                "mean_confidence": confidence / stated,
                "coverage": stated / count,
            }
        return np.stack([metrics[name] for name in METRICS])
