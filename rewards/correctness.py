from emocal_rl.rewards.registry import RewardInput, reward


@reward("correctness", worst=0.0)
def correctness(x: RewardInput) -> float:
    """1 if the answer is the label, else 0 (paper, R_correct)."""
    return float(x.correct)
