"""What an advantage estimator makes of a reward: the expected policy-gradient flow over stated confidences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from emocal_rl.platform.errors import RewardError
from emocal_rl.rewards.audit.enumerated_gradient import MOST_COMPOSITIONS, EnumeratedGradient, num_compositions
from emocal_rl.rewards.audit.landscape import Array, Landscape
from emocal_rl.rewards.audit.policy_flow import Gradient, follow
from emocal_rl.rewards.audit.quadrature_gradient import Correctness, QuadratureGradient
from emocal_rl.rewards.audit.stable_confidence import polarises

PROBABILITIES: Array = np.arange(1, 10) / 10
_FLOOR = 5e-3
"""Mass that a start gives to every level: a histogram of some hundred responses has not seen all a policy states."""
EffectVerdict = Literal["proper", "nearly proper", "biased", "polarising", "held by its start", "no gradient"]


@dataclass(frozen=True)
class Levels:
    """The confidences a softmax policy chooses from, and the total of a right and a wrong answer at each."""

    confidences: Array
    right: Array
    wrong: Array

    @classmethod
    def of(cls, landscape: Landscape, num_levels: int) -> "Levels":
        """Space the levels evenly over [0, 1]; levels at which a response would be masked are left out.

        Raises:
            RewardError: fewer than two are left.
        """
        confidences = np.linspace(0, 1, num_levels).round(6)
        right, wrong = landscape.rights(confidences), landscape.wrongs(confidences)
        kept = np.isfinite(right) & np.isfinite(wrong)
        if kept.sum() < 2:
            rule = f"is finite at {kept.sum()} of {num_levels} confidences: every other response would be masked"
            raise RewardError("reward", rule=rule, fix="Correct the rule, or its settings.")
        return cls(confidences[kept], right[kept], wrong[kept])

    @property
    def spacing(self) -> float:
        """Distance of neighbouring levels."""
        return float(np.diff(self.confidences).min())

    def spread(self, histogram: Sequence[float] | None) -> Array:
        """Return a start (L,): uniform, or a histogram's counts in equal bins, each at its nearest level."""
        if histogram is None:
            return np.full(len(self.confidences), 1 / len(self.confidences))
        middles = (np.arange(len(histogram)) + 0.5) / len(histogram)
        nearest = np.abs(self.confidences[:, None] - middles).argmin(axis=0)
        mass = np.bincount(nearest, np.asarray(histogram, dtype=float), len(self.confidences))
        mass = mass / mass.sum() + _FLOOR
        start: Array = mass / mass.sum()
        return start


@dataclass(frozen=True)
class EstimatorEffect:
    """Where one estimator takes a policy, by success probability `PROBABILITIES`.

    `policy` (L, P) at the end; `mean` stated confidence (P,); `near` the mass within 0.05 of p (P,). `error`: how far
    the method may be off, in units of an advantage: 0 in closed form. A policy is `held by its start` where the same
    gradient ends at p from a uniform one: what it hardly ever states it hardly ever learns to state.
    """

    advantage: Literal["raw", "normalised"]
    correctness: Correctness | Literal["any"]
    start: str
    confidences: Array
    policy: Array
    mean: Array
    near: Array
    settled: bool
    method: Literal["closed form", "enumeration", "quadrature"]
    error: float
    verdict: EffectVerdict

    @property
    def bias(self) -> float:
        """Largest distance of the mean stated confidence from the success probability."""
        return float(np.abs(self.mean - PROBABILITIES).max())


def audit_estimators(
    landscape: Landscape,
    num_levels: int,
    group_size: int,
    epsilon: float,
    starts: Mapping[str, Sequence[float] | None],
) -> list[EstimatorEffect]:
    """Follow raw and normalised advantages from every start; shared and independent correctness where they differ.

    Raw advantages are in expectation (G - 1) / G times the centred total, whatever the correctness of the group.
    """
    levels = Levels.of(landscape, num_levels)
    is_polarising = polarises(landscape, group_size=group_size, epsilon=epsilon)
    effects: list[EstimatorEffect] = []
    for correctness in ("any", "shared", "independent"):
        gradient, method, error = _gradient(levels, group_size, epsilon, correctness)
        for name, histogram in starts.items():
            start = np.repeat(levels.spread(histogram)[:, None], len(PROBABILITIES), axis=1)
            end = follow(gradient, start, PROBABILITIES)
            mean = levels.confidences @ end.policy
            verdict = _verdict(levels, mean, start, correctness, is_polarising=is_polarising)
            if verdict == "biased" and effects and effects[-1].correctness == correctness:
                ends_at_p = effects[-1].verdict in ("proper", "nearly proper", "held by its start")
                verdict = "held by its start" if ends_at_p else verdict
            near = np.abs(levels.confidences[:, None] - PROBABILITIES) < 0.05 + 1e-9
            effects.append(
                EstimatorEffect(
                    "raw" if correctness == "any" else "normalised",
                    correctness,
                    name,
                    levels.confidences,
                    end.policy,
                    mean,
                    (end.policy * near).sum(axis=0),
                    bool(end.settled.all()),
                    method,
                    error,
                    verdict,
                )
            )
    return effects


def _verdict(levels: Levels, mean: Array, start: Array, correctness: str, *, is_polarising: bool) -> EffectVerdict:
    if np.allclose(mean, levels.confidences @ start, atol=1e-6):
        return "no gradient"
    if correctness == "shared" and is_polarising:
        return "polarising"
    tolerance = levels.spacing if correctness == "any" else levels.spacing / 2  # the best level need not be the nearest
    if float(np.abs(mean - PROBABILITIES).max()) > tolerance + 1e-9:
        return "biased"
    return "proper" if correctness == "any" else "nearly proper"


def _gradient(
    levels: Levels, group_size: int, epsilon: float, correctness: Literal["any", "shared", "independent"]
) -> tuple[Gradient, Literal["closed form", "enumeration", "quadrature"], float]:
    right, wrong = levels.right, levels.wrong
    if correctness == "any":

        def raw(policy: Array, probability: Array) -> Array:
            expected = np.outer(right, probability) + np.outer(wrong, 1 - probability)
            gradient: Array = (group_size - 1) / group_size * policy * (expected - (policy * expected).sum(axis=0))
            return gradient

        return raw, "closed form", 0.0
    if correctness == "shared" and num_compositions(len(right), group_size) <= MOST_COMPOSITIONS:
        return EnumeratedGradient.of(right, wrong, group_size, epsilon), "enumeration", 1e-6
    coarse, fine = (
        QuadratureGradient.of(right, wrong, group_size, correctness, epsilon=epsilon, refinement=factor)
        for factor in (1.0, 1.5)
    )
    policies = _probes(len(right))
    probability = np.full(policies.shape[1], 0.7)
    error = np.abs(coarse(policies, probability) - fine(policies, probability)).max()
    return coarse, "quadrature", float(error)


def _probes(num_levels: int) -> Array:
    """Return policies (L, P) at which quadrature is compared with a finer one: uniform, and settling on each side."""
    ramp = np.linspace(-1, 1, num_levels)
    policies: Array = np.stack([np.exp(slope * ramp) for slope in (0.0, 4.0, -4.0)], axis=1)
    policies /= policies.sum(axis=0)
    return policies
