from collections.abc import Mapping

from emocal_rl.platform.config.reward import AdvantageConfig
from emocal_rl.rewards.advantages.group_normalized import group_normalized
from emocal_rl.rewards.advantages.leave_one_out import leave_one_out
from emocal_rl.rewards.advantages.per_term import per_term
from emocal_rl.rewards.advantages.raw import Rewards, raw

WAITS_FOR_BATCH = frozenset({"batch"})
"""Estimators whose scale is the whole step's: what is estimated here is then finished by `batch_normalized`."""


def estimate(
    rewards: Rewards,
    config: AdvantageConfig,
    terms: Mapping[str, Rewards] | None = None,
    weights: Mapping[str, float] | None = None,
) -> Rewards:
    """Advantages of whole groups, none masked: (..., G) -> (..., G).

    Args:
        rewards: total rewards, one group along the last axis.
        config: the estimator.
        terms: the weighted reward terms that add up to `rewards`, in the same shape; only `per-term` asks for them.
        weights: the weight of each term.
    """
    if config.estimator == "per-term":
        assert terms is not None
        return per_term(terms, weights or {}, epsilon=config.epsilon)
    advantages = leave_one_out(rewards) if config.estimator == "rloo" else raw(rewards)
    if config.normalize and config.estimator not in WAITS_FOR_BATCH:
        return group_normalized(advantages, rewards, epsilon=config.epsilon)
    return advantages
