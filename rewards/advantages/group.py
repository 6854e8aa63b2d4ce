from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emocal_rl.platform.config.reward import AdvantageConfig
from emocal_rl.rewards.advantages.estimate import estimate


@dataclass(frozen=True, slots=True)
class GroupAdvantages:
    """One advantage per response, 0 where masked; `zero_variance` marks a group that teaches nothing."""

    values: tuple[float, ...]
    zero_variance: bool


def group_advantages(
    totals: Sequence[float],
    masked: Sequence[bool],
    config: AdvantageConfig,
    terms: Sequence[Mapping[str, float]] | None = None,
    weights: Mapping[str, float] | None = None,
) -> GroupAdvantages:
    """Turn the rewards of a group into advantages by the configured estimator.

    Masked responses take no part; their rewards may be anything, NaN included. With fewer than two unmasked responses,
    or equal rewards, all advantages are 0.

    Args:
        totals: total reward of each response, finite where not masked.
        masked: which responses take no part in the update.
        config: the estimator.
        terms: the weighted reward terms of each response; only `per-term` asks for them. One that a response
            lacks is 0.
        weights: the weight of each term.
    """
    kept = [index for index, is_masked in enumerate(masked) if not is_masked]
    names = sorted({name for index in kept for name in terms[index]}) if terms else []
    by_term = {name: np.array([terms[index].get(name, 0.0) for index in kept]) for name in names} if terms else {}
    rewards = np.array([totals[index] for index in kept], dtype=np.float64)
    judged = list(by_term.values()) if config.estimator == "per-term" else [rewards]
    if len(kept) < 2 or all(np.ptp(values) == 0.0 for values in judged):
        return GroupAdvantages((0.0,) * len(totals), zero_variance=True)
    values = dict(zip(kept, estimate(rewards, config, by_term, weights).tolist(), strict=True))
    return GroupAdvantages(tuple(values.get(index, 0.0) for index in range(len(totals))), zero_variance=False)
