import math
from typing import Annotated

from pydantic import Field

from emocal_rl.rewards.registry import RewardInput, reward


def _log(probability: float) -> float:
    return math.log(probability) if probability > 0.0 else -math.inf


@reward("loglik", worst=lambda clip: _log(clip))
def loglik(x: RewardInput, *, clip: Annotated[float, Field(ge=0, lt=0.5)] = 1e-3) -> float:
    """Log c if the answer is right, log(1 - c) if it is wrong, c clipped to [clip, 1 - clip] (paper, equation 4).

    A strictly proper scoring rule. The paper does not clip; `clip=0` is unclipped, and then -inf is possible.
    """
    confidence = x.parsed.confidence
    assert confidence is not None
    confidence = min(max(confidence, clip), 1.0 - clip)
    return _log(confidence if x.correct else 1.0 - confidence)
