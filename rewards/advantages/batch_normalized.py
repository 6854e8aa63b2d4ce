import math
from collections.abc import Sequence
from dataclasses import replace

from emocal_rl.platform.config.reward import AdvantageConfig
from emocal_rl.platform.contracts import ScoredGroup


def batch_normalized(groups: Sequence[ScoredGroup], config: AdvantageConfig) -> list[ScoredGroup]:
    """Divide the advantages of all groups of a step by their common standard deviation plus epsilon.

    The advantages are those of `raw`, whose mean over every group is 0; the standard deviation is the unbiased one over
    unmasked responses. Needs all groups of the step: a barrier, where the group's own estimators stream.

    Source: REINFORCE++-baseline (Hu et al. 2025, arXiv 2501.03262).
    """
    kept = [
        advantage
        for group in groups
        for advantage, rewarded in zip(group.advantages, group.rewarded, strict=True)
        if rewarded.masked is None
    ]
    if not any(kept):
        return list(groups)
    mean = math.fsum(kept) / len(kept)
    scale = math.sqrt(math.fsum((value - mean) ** 2 for value in kept) / (len(kept) - 1)) + config.epsilon
    return [replace(group, advantages=tuple(value / scale for value in group.advantages)) for group in groups]
