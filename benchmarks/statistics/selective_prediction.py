"""Answering only where confident: risk against coverage (Geifman & El-Yaniv 2017). Arrays are (n,), n > 0."""

from dataclasses import dataclass

import numpy as np

from emocal_rl.benchmarks.vecbench.outcomes import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """Share of wrong answers among the k most confident ones, for k = 1 ... n; `coverage` is k / n. (n,) each."""

    coverage: FloatArray
    risk: FloatArray

    @property
    def area(self) -> float:
        """The area under the curve (AURC): the mean risk over all coverages. Lower is better."""
        return float(self.risk.mean())

    @property
    def excess_area(self) -> float:
        """AURC above that of the best order of the same answers, all right ones first (E-AURC, Geifman et al. 2019).

        The best order is counted out; its usual approximation r + (1 - r) ln(1 - r) is off for few samples.
        """
        count = np.arange(1, len(self.risk) + 1)
        num_wrong = self.risk[-1] * len(self.risk)
        return float(np.mean(self.risk - np.maximum(count - (len(self.risk) - num_wrong), 0) / count))

    def accuracy_at(self, coverage: float) -> float:
        """Return the accuracy on the most confident samples that make up at least this share, in (0, 1]."""
        # as many samples as a decimal share means, whatever its float rounds to: .7 of 10 are 7
        count = int(np.ceil(round(coverage * len(self.risk), 9)))
        return 1 - float(self.risk[max(count, 1) - 1])


def risk_coverage(confidence: FloatArray, outcome: FloatArray) -> RiskCoverage:
    """Return the curve; samples of equal confidence enter in random order, of which this is the expectation.

    Verbalised confidences have many ties, and any fixed order of them (that of the file) would change the result.
    """
    distinct, block, size = np.unique(-confidence, return_inverse=True, return_counts=True)
    wrong = np.bincount(block, 1 - outcome, len(distinct))
    ends, total = np.concatenate([[0], np.cumsum(size)]), np.concatenate([[0.0], np.cumsum(wrong)])
    count = np.arange(1, len(confidence) + 1)
    return RiskCoverage(count / len(count), np.interp(count, ends, total) / count)
