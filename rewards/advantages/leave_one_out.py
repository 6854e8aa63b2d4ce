from emocal_rl.rewards.advantages.raw import Rewards, raw


def leave_one_out(rewards: Rewards) -> Rewards:
    """R minus the mean of the group's other rewards: (..., G) -> (..., G), G at least 2.

    It is G / (G - 1) times the raw advantage: the baseline knows nothing of the response it judges.

    Source: RLOO (Kool et al. 2019; Ahmadian et al. 2024, arXiv 2402.14740, section 3.2).
    """
    group_size = rewards.shape[-1]
    centred = raw(rewards)
    centred *= group_size / (group_size - 1)
    return centred
