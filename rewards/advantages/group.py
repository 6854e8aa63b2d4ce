from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emocal_rl.platform.config.reward import AdvantageConfig
from emocal_rl.rewards.advantages.by_segment import by_segment
from emocal_rl.rewards.advantages.estimate import estimate
from emocal_rl.rewards.advantages.raw import Rewards


@dataclass(frozen=True, slots=True)
class GroupAdvantages:
    """One advantage per response, 0 where masked; `zero_variance` marks a group that teaches nothing.

    `confidences`: those of the tokens of the stated confidence, None for a response that states none; empty where the
    confidence term teaches whole responses.
    """

    values: tuple[float, ...]
    zero_variance: bool
    confidences: tuple[float | None, ...] = ()


def group_advantages(
    totals: Sequence[float],
    masked: Sequence[bool],
    config: AdvantageConfig,
    terms: Sequence[Mapping[str, float]] | None = None,
    weights: Mapping[str, float] | None = None,
    *,
    stated: Sequence[bool] | None = None,
) -> GroupAdvantages:
    """Turn the rewards of a group into advantages by the configured estimator.

    Masked responses take no part; their rewards may be anything, NaN included. With fewer than two unmasked responses,
    or equal rewards, all advantages are 0.

    Args:
        totals: total reward of each response, finite where not masked.
        masked: which responses take no part in the update.
        config: the estimator.
        terms: the weighted reward terms of each response; only `per-term` and `stated` ask for them. One that a
            response lacks is 0.
        weights: the weight of each term.
        stated: which responses state a confidence, if the confidence term teaches that confidence's tokens alone; the
            group's advantages are then those of `by_segment`.
    """
    kept = [index for index, is_masked in enumerate(masked) if not is_masked]
    names = sorted({name for index in kept for name in terms[index]}) if terms else []
    by_term = {name: np.array([terms[index].get(name, 0.0) for index in kept]) for name in names} if terms else {}
    rewards = np.array([totals[index] for index in kept], dtype=np.float64)
    by_parts = config.estimator == "per-term" or stated is not None
    judged = list(by_term.values()) if by_parts else [rewards]
    nothing = (0.0,) * len(totals)
    if len(kept) < 2 or all(np.ptp(values) == 0.0 for values in judged):
        return GroupAdvantages(nothing, zero_variance=True, confidences=_where(stated, nothing))
    if stated is None:
        return GroupAdvantages(_spread(estimate(rewards, config, by_term, weights), kept, len(totals)), False)
    states = np.array([stated[index] for index in kept])
    answers, confidences = by_segment(rewards, states, config, by_term, weights or {})
    spread = _spread(confidences, kept, len(totals))
    return GroupAdvantages(_spread(answers, kept, len(totals)), False, _where(stated, spread))


def _spread(values: Rewards, kept: Sequence[int], size: int) -> tuple[float, ...]:
    """Put the values of the kept responses in their places, 0 elsewhere."""
    spread = np.zeros(size)
    spread[kept] = values
    return tuple(spread.tolist())


def _where(stated: Sequence[bool] | None, values: Sequence[float]) -> tuple[float | None, ...]:
    return tuple(value if states else None for states, value in zip(stated, values, strict=True)) if stated else ()
