import math

from emocal_rl.rewards.registry import RewardInput, reward


@reward("spherical", worst=0.0)
def spherical(x: RewardInput) -> float:
    """Spherical score, in [0, 1]: c if the answer is right, else 1 - c, over the norm sqrt(c^2 + (1 - c)^2).

    A strictly proper scoring rule. Source: Gneiting and Raftery (2007), "Strictly Proper Scoring Rules,
    Prediction, and Estimation".
    """
    confidence = x.parsed.confidence
    assert confidence is not None
    return (confidence if x.correct else 1.0 - confidence) / math.hypot(confidence, 1.0 - confidence)
