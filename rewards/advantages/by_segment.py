from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from emocal_rl.platform.config.reward import AdvantageConfig
from emocal_rl.rewards.advantages.estimate import estimate
from emocal_rl.rewards.advantages.raw import Rewards, raw


def by_segment(
    rewards: Rewards,
    stated: npt.NDArray[np.bool_],
    config: AdvantageConfig,
    terms: Mapping[str, Rewards],
    weights: Mapping[str, float],
) -> tuple[Rewards, Rewards]:
    """Advantages of the answer's tokens and of the confidence's, where the confidence term teaches only the latter.

    The answer is judged by the rest of the total, through the configured estimator. The confidence is judged raw, among
    the responses of the group that state one: dividing by the group's spread would take it to the extremes, and what
    the missing ones are fined says nothing about the stated ones. A response without a stated confidence is judged as a
    whole, by its total against the totals of the group.

    Args:
        rewards: (G,) total rewards.
        stated: (G,) which responses state a confidence.
        config: the estimator.
        terms: the weighted reward terms, (G,) each.
        weights: the weight of each term.

    Returns:
        (G,) of the answers, (G,) of the confidences: 0 where none is stated.
    """
    confidence = terms["confidence"]
    rest = {name: values for name, values in terms.items() if name != "confidence"}
    answers = estimate(rewards - confidence, config, rest, weights)
    whole = estimate(rewards, config, terms, weights)
    confidences = np.zeros_like(rewards)
    if stated.any():
        confidences[stated] = raw(confidence[stated])
    return np.where(stated, answers, whole), confidences
