import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.rewards.presets import PRESETS, preset


def test_paper_is_the_default():
    assert preset("paper") == RewardConfig()
    assert preset("paper").confidence.rule == "loglik"


def test_official_sets_what_is_not_given():
    config = RewardConfig(preset="official")
    assert config == preset("official")
    assert (config.protocol, config.malformed_total) == ("official", -5.0)
    assert (config.confidence.weight, config.confidence.params) == (2.0, {"clip": 0.0})
    given = RewardConfig.model_validate(
        {"preset": "official", "malformed_total": -1, "confidence": {"weight": 3, "params": {"clip": 0.01}}}
    )
    assert (given.malformed_total, given.confidence.weight, given.confidence.params) == (-1.0, 3.0, {"clip": 0.01})


def test_another_confidence_rule_leaves_the_presets_parameters_behind():
    config = preset("official", "brier")
    assert (config.confidence.rule, config.confidence.weight, config.confidence.params) == ("brier", 2.0, {})


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("rule", [None, "brier"])
def test_a_written_preset_is_read_back(name, rule):
    config = preset(name, rule)
    assert RewardConfig.model_validate(config.model_dump()) == config
    assert RewardConfig(**{field: getattr(config, field) for field in RewardConfig.model_fields}) == config
