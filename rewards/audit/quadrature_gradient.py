import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import erfcx

from emocal_rl.rewards.audit.landscape import Array

Correctness = Literal["shared", "independent"]
_LOG_STEP, _STEP = 0.8, 1.2
_CLOSEST = 1e-5
"""Totals nearer than this share of their range count as tied."""
_REACH = 6.0
"""Widths of the Gaussian from the nearest total at which a node is left out: phi^G is below 2e-8 there."""
_APART = _REACH**2
"""Totals do not meet where b times their squared distance is more: no node reaches both, also in a group of two. One
that meets no other pushes nowhere."""


@dataclass(frozen=True)
class QuadratureGradient:
    """The expected policy gradient of normalised advantages for any group size and number of levels.

    The standard deviation couples all responses of a group. Two integrals undo that. With SS the group's sum of squares
    about its mean m, SS^(-1/2) = Gamma(1/2)^(-1) int b^(-1/2) exp(-b SS) db, and exp(-b SS) is
    (b G / pi)^(1/2) int exp(-b sum_j (r_j - u)^2) du, in which r_i - m may be written r_i - u. So the responses come
    apart, with phi(u, b) = E[exp(-b (r - u)^2)]:

        E[1(c_i = k) A_i] = (G (G - 1))^(1/2) / pi  int db int du  pi_k (r_k - u) exp(-b (r_k - u)^2) phi^(G - 1)

    The epsilon of the denominator turns b^(-1/2) / Gamma(1/2) into the inverse Laplace transform of
    1 / (SS^(1/2) + a), a = epsilon (G - 1)^(1/2): it has the factor 1 - a (pi b)^(1/2) erfcx(a b^(1/2)).

    Both are summed on a fixed grid (u in steps of the Gaussian's width near the totals, log b evenly), which leaves
    about 1e-4 of an advantage; `refinement` 2 halves the steps, to measure what is left.
    """

    correctness: Correctness
    group_size: int
    kernels: tuple[tuple[Array, Array], ...]
    """(exp(-b (r - u)^2), its weighted product with r - u), (nodes, levels); correctness shared: right, then wrong."""

    @classmethod
    def of(
        cls,
        right: Array,
        wrong: Array,
        group_size: int,
        correctness: Correctness,
        *,
        epsilon: float = 0.0,
        refinement: float = 1.0,
    ) -> "QuadratureGradient":
        """Lay the grids. `epsilon` is added to a group's standard deviation, `refinement` divides the steps.

        Correctness is `shared` where all responses of a group give the same answer, else `independent`.
        """
        groups = (right, wrong) if correctness == "shared" else (np.concatenate([right, wrong]),)
        return cls(
            correctness, group_size, tuple(_kernel(totals, group_size, epsilon, refinement) for totals in groups)
        )

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


def _kernel(totals: Array, group_size: int, epsilon: float, refinement: float) -> tuple[Array, Array]:
    span = float(np.ptp(totals))
    if span < 1e-12:  # every group has zero variance
        return np.zeros((1, len(totals))), np.zeros((1, len(totals)))
    scaled = (totals - totals.min()) / span
    gaps = _gaps(scaled)
    most_precise = _APART / max(float(gaps.min()), _CLOSEST) ** 2
    log_step = _LOG_STEP / refinement
    scale = math.sqrt(group_size * (group_size - 1)) / math.pi
    added = epsilon / span * math.sqrt(group_size - 1)
    kernels, pushes = [], []
    for log_precision in np.arange(math.log(4e-8 / group_size), math.log(most_precise) + log_step, log_step):
        precision = math.exp(log_precision)
        width = 1 / math.sqrt(2 * precision * group_size)
        step = _STEP * width / refinement
        meeting = scaled[precision * gaps**2 < _APART]
        distance = scaled - _near(meeting, _REACH * width, step)[:, None]
        kernel = np.exp(-precision * distance**2)
        damping = 1 - added * math.sqrt(math.pi * precision) * float(erfcx(added * math.sqrt(precision)))
        kernels.append(kernel)
        pushes.append(distance * kernel * (precision * log_step * step * scale * damping))
    return np.concatenate(kernels), np.concatenate(pushes)


def _gaps(totals: Array) -> Array:
    """Return the distance of each total to the nearest other value; what differs by rounding is one value."""
    values, which = np.unique(np.round(totals, 9), return_inverse=True)
    between = np.diff(values)
    nearest: Array = np.minimum(np.append(between, np.inf), np.append(np.inf, between))
    return nearest[which]


def _near(points: Array, reach: float, step: float) -> Array:
    """Return the multiples of `step` within `reach` of a point, and a few beyond."""
    if not points.size:
        return points
    first, last = np.floor((points - reach) / step), np.ceil((points + reach) / step)
    steps = np.arange(int((last - first).max()) + 1)
    return np.unique(np.minimum(first[:, None] + steps, last[:, None])) * step
