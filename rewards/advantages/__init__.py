from emocal_rl.rewards.advantages.group import GroupAdvantages, group_advantages

__all__ = ["GroupAdvantages", "group_advantages"]
