from typing import Literal

from emocal_rl.platform.config.reward import RewardConfig

PRESETS: dict[str, str] = {
    "paper": "R_format + R_correct + R_conf with the strict grammar; no valid confidence earns the rule's worst value",
    "official": "the released code by value: 1 + R_correct + 2 R_conf, and -5 flat for a response it cannot read",
}
"""Name to one line of documentation."""


def preset(name: Literal["paper", "official"], confidence_rule: str | None = None) -> RewardConfig:
    """Return a whole composition, with `confidence_rule` (a name or a path) in its confidence term if one is given."""
    if confidence_rule is None:
        return RewardConfig(preset=name)
    return RewardConfig.model_validate({"preset": name, "confidence": {"rule": confidence_rule}})
