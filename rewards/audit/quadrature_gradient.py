import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from emocal_rl.rewards.audit.landscape import Array

Correctness = Literal["shared", "independent"]
_LOG_STEP, _STEP = 0.8, 1.2
_CLOSEST = 3e-3
"""Totals nearer than this share of their range count as tied."""
_REACH = 6.0
"""Widths of the Gaussian from the nearest total at which a node is left out: phi^G is below 2e-8 there."""


@dataclass(frozen=True)
class QuadratureGradient:
    """The expected policy gradient of normalised advantages for any group size and number of levels.

    The standard deviation couples all responses of a group. Two integrals undo that. With SS the group's sum of squares
    about its mean m, SS^(-1/2) = Gamma(1/2)^(-1) int b^(-1/2) exp(-b SS) db, and exp(-b SS) is
    (b G / pi)^(1/2) int exp(-b sum_j (r_j - u)^2) du, in which r_i - m may be written r_i - u. So the responses come
    apart, with phi(u, b) = E[exp(-b (r - u)^2)]:

        E[1(c_i = k) A_i] = (G (G - 1))^(1/2) / pi  int db int du  pi_k (r_k - u) exp(-b (r_k - u)^2) phi^(G - 1)

    Both are summed on a fixed grid (u in steps of the Gaussian's width near the totals, log b evenly), which leaves
    about 1e-4 of an advantage; `refinement` 2 halves the steps, to measure what is left. The epsilon of the denominator
    is left out.
    """

    correctness: Correctness
    group_size: int
    kernels: tuple[tuple[Array, Array], ...]
    """(exp(-b (r - u)^2), its weighted product with r - u), (nodes, levels); correctness shared: right, then wrong."""

    @classmethod
    def of(
        cls, right: Array, wrong: Array, group_size: int, correctness: Correctness, *, refinement: float = 1.0
    ) -> "QuadratureGradient":
        """Lay the grids. `refinement` divides the steps.

        Correctness is `shared` where all responses of a group give the same answer, else `independent`.
        """
        groups = (right, wrong) if correctness == "shared" else (np.concatenate([right, wrong]),)
        return cls(correctness, group_size, tuple(_kernel(totals, group_size, refinement) for totals in groups))

    def __call__(self, policy: Array, probability: Array) -> Array:
        """Return the gradient with respect to the logits, (L, P), of policies (L, P) at success probabilities (P,)."""
        power = self.group_size - 1
        if self.correctness == "shared":
            right, wrong = (policy * (push.T @ (kernel @ policy) ** power) for kernel, push in self.kernels)
            return probability * right + (1 - probability) * wrong
        joint = np.concatenate([policy * probability, policy * (1 - probability)])
        ((kernel, push),) = self.kernels
        by_outcome = joint * (push.T @ (kernel @ joint) ** power)
        gradient: Array = by_outcome[: len(policy)] + by_outcome[len(policy) :]
        return gradient


def _kernel(totals: Array, group_size: int, refinement: float) -> tuple[Array, Array]:
    span = float(np.ptp(totals))
    if span < 1e-12:  # every group has zero variance
        return np.zeros((1, len(totals))), np.zeros((1, len(totals)))
    scaled = (totals - totals.min()) / span
    gaps = np.diff(np.unique(np.round(scaled, 9)))
    closest = max(float(gaps.min()), _CLOSEST)
    log_step = _LOG_STEP / refinement
    scale = math.sqrt(group_size * (group_size - 1)) / math.pi
    kernels, pushes = [], []
    for log_precision in np.arange(math.log(4e-8 / group_size), math.log(10 / closest**2) + log_step, log_step):
        precision = math.exp(log_precision)
        width = 1 / math.sqrt(2 * precision * group_size)
        step = _STEP * width / refinement
        distance = scaled - np.arange(-_REACH * width, 1 + _REACH * width + step, step)[:, None]
        distance = distance[np.abs(distance).min(axis=1) < _REACH * width]
        kernel = np.exp(-precision * distance**2)
        kernels.append(kernel)
        pushes.append(distance * kernel * (precision * log_step * step * scale))
    return np.concatenate(kernels), np.concatenate(pushes)
