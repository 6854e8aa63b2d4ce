import math
from collections.abc import Sequence
from dataclasses import dataclass

from emocal_rl.platform.config.reward import AdvantageConfig


@dataclass(frozen=True, slots=True)
class GroupAdvantages:
    """One advantage per response, 0 where masked; `zero_variance` marks a group that teaches nothing."""

    values: tuple[float, ...]
    zero_variance: bool


def group_advantages(totals: Sequence[float], masked: Sequence[bool], config: AdvantageConfig) -> GroupAdvantages:
    """Turn the total rewards of a group into advantages: R - mean(R) (paper, equation 5).

    Normalised, they are divided by std(R) + epsilon. The standard deviation is the unbiased one (n - 1, as torch.std),
    which is what GRPO implementations use. Masked responses take no part in mean and standard deviation; their totals
    may be anything, NaN included. With fewer than two unmasked responses, or equal totals, all advantages are 0.

    Args:
        totals: total reward of each response, finite where not masked.
        masked: which responses take no part in the update.
        config: whether to normalise, and epsilon.
    """
    kept = [total for total, is_masked in zip(totals, masked, strict=True) if not is_masked]
    if len(kept) < 2 or min(kept) == max(kept):
        return GroupAdvantages((0.0,) * len(totals), zero_variance=True)
    mean = math.fsum(kept) / len(kept)
    scale = 1.0
    if config.normalize:
        scale = math.sqrt(math.fsum((total - mean) ** 2 for total in kept) / (len(kept) - 1)) + config.epsilon
    values = (0.0 if is_masked else (total - mean) / scale for total, is_masked in zip(totals, masked, strict=True))
    return GroupAdvantages(tuple(values), zero_variance=False)
