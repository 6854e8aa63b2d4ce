import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emocal_rl.rewards.audit.landscape import Array

MOST_COMPOSITIONS = 100_000
"""More ways to fill a group than this are not enumerated: 11 levels allow groups of 9."""


def num_compositions(num_levels: int, group_size: int) -> int:
    """Return in how many ways the levels can fill a group."""
    return math.comb(num_levels + group_size - 1, group_size)


@dataclass(frozen=True)
class EnumeratedGradient:
    """The expected policy gradient of normalised advantages for correctness shared by the group, exactly.

    Every composition of a group is enumerated; its advantages do not depend on the policy. Single precision: 1e-6.
    """

    counts: npt.NDArray[np.float32]
    log_ways: npt.NDArray[np.float32]
    weighted: npt.NDArray[np.float32]
    """(2 L, compositions): summed advantages of each level over the group size, right answers first."""

    @classmethod
    def of(cls, right: Array, wrong: Array, group_size: int, epsilon: float) -> "EnumeratedGradient":
        """Enumerate the groups of the levels' totals."""
        counts = compositions(len(right), group_size)
        log_factorial = np.array([math.lgamma(count + 1) for count in range(group_size + 1)])
        log_ways = log_factorial[group_size] - log_factorial[counts].sum(axis=1)
        weighted = [_summed_advantages(counts, totals, epsilon) / group_size for totals in (right, wrong)]
        single = np.float32
        return cls(counts.astype(single), log_ways.astype(single)[:, None], np.hstack(weighted).astype(single).T.copy())

    def __call__(self, policy: Array, probability: Array) -> Array:
        """Return the gradient with respect to the logits, (L, P), of P policies (L, P) at success probabilities (P,).

        It is E[mean over the group of A_i (1[c_i = k] - pi_k)], and the advantages of a group sum to zero.
        """
        with np.errstate(divide="ignore"):
            log_policy = np.maximum(np.log(policy), -80.0).astype(np.float32)
        groups = np.exp(self.log_ways + self.counts @ log_policy)
        right, wrong = np.split(self.weighted @ groups, 2)
        gradient: Array = (probability * right + (1 - probability) * wrong).astype(np.float64)
        return gradient


def compositions(num_levels: int, group_size: int) -> npt.NDArray[np.int64]:
    """Return all (n_1, ..., n_L) with sum `group_size`, one a row."""
    rest = np.array([group_size])
    columns: list[npt.NDArray[np.int64]] = []
    for _ in range(num_levels - 1):
        choices = rest + 1
        parent = np.repeat(np.arange(len(rest)), choices)
        count = np.arange(len(parent)) - np.repeat(np.cumsum(choices) - choices, choices)
        columns = [*(column[parent] for column in columns), count]
        rest = rest[parent] - count
    return np.stack([*columns, rest], axis=1)


def _summed_advantages(counts: npt.NDArray[np.int64], totals: Array, epsilon: float) -> Array:
    """Return (compositions, L): n_k (R_k - mean) / (std + epsilon), 0 where all totals of the group are equal."""
    size = counts[0].sum()
    centred = totals - (counts @ totals / size)[:, None]
    deviation = np.sqrt((counts * centred**2).sum(axis=1) / (size - 1))
    scale = np.where(deviation > 1e-9 * np.ptp(totals), deviation + epsilon, np.inf)
    summed: Array = counts * centred / scale[:, None]
    return summed
