from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.config.reward_presets import PresetName

PRESETS: dict[PresetName, str] = {
    "paper": "R_format + R_correct + R_conf with the strict grammar; no valid confidence earns the rule's worst value",
    "split-credit": "R_format + R_correct for the answer; - 6 (y - c)^2, raw, for the confidence's own tokens",
    "official": "the released code by value: 1 + R_correct + 2 R_conf, and -5 flat for a response it cannot read",
    "rlcr": "RLCR: 0.5 format + 0.5 y + 0.5 (1 - (y - c)^2), 0 without the format; the last of repeated tags counts",
    "rewarding-doubt": "Rewarding Doubt: log score scaled to at most 10, 2.5 more if right, -30 for an unreadable one",
    "sayself": "SaySelf: 2 (0.5 - (y - c)^2), where a confidence that cannot be read is 0",
}
"""Name to one line of documentation; `platform/config/reward_presets.py` has the formulas and their sources."""


def preset(name: PresetName, confidence_rule: str | None = None) -> RewardConfig:
    """Return a whole composition, with `confidence_rule` (a name or a path) in its confidence term if one is given.

    The other papers' responses are read by the strict grammar of this one, their confidences on a scale of 0 to 1.
    """
    if confidence_rule is None:
        return RewardConfig(preset=name)
    return RewardConfig.model_validate({"preset": name, "confidence": {"rule": confidence_rule}})
