from emocal_rl.rewards.registry import RewardInput, reward


@reward("format", worst=0.0)
def format_reward(x: RewardInput) -> float:
    """1 if the response follows the format, else 0 (paper, R_format)."""
    return float(x.parsed.well_formed)
