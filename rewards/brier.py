from emocal_rl.rewards.registry import RewardInput, reward


@reward("brier", worst=-1.0)
def brier(x: RewardInput) -> float:
    """-(y - c)^2 with y = 1 if the answer is right, else 0 (paper, equation 6). A strictly proper scoring rule."""
    confidence = x.parsed.confidence
    assert confidence is not None
    return -((float(x.correct) - confidence) ** 2)
