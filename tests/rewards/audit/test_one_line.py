import time

from emocal_rl.platform.config.reward import AdvantageConfig, RewardConfig
from emocal_rl.rewards.audit.one_line import one_line_verdict
from emocal_rl.rewards.registry import RewardInput, reward


def verdict(reward_config, *, normalize=False, **options):
    config = RewardConfig.model_validate(reward_config)
    return one_line_verdict(config, AdvantageConfig(normalize=normalize), timeout_s=60, **options)


def test_the_paper_and_the_official_reward():
    assert verdict({}) == "proper; raw advantages follow it; a decoy pays below p = 0.51 with 8 classes"
    assert verdict({"preset": "official"}, normalize=True) == (
        "proper; normalised advantages polarise confidence where a group shares its answer; "
        "a decoy pays below p = 0.79 with 8 classes"
    )
    assert verdict({"confidence": {"rule": "brier"}}, num_classes=2).endswith("; no decoy with 2 classes")


def test_an_improper_reward():
    assert verdict({"confidence": {"gate": "correctness"}}).startswith(
        "improper: at p = 0.37 c = 1.00 pays 0.368 more than honesty; raw advantages follow it"
    )


def test_a_rule_that_raises_or_hangs_does_not_hold_up_the_run():
    @reward("test-one-line-raises", worst=0.0)
    def raises(x: RewardInput) -> float:
        raise OSError("no network")

    @reward("test-one-line-hangs", worst=0.0)
    def hangs(x: RewardInput) -> float:
        time.sleep(0.5)
        return 0.0

    assert "OSError: no network" in verdict({"confidence": {"rule": "test-one-line-raises"}})
    config = RewardConfig.model_validate({"confidence": {"rule": "test-one-line-hangs"}})
    assert one_line_verdict(config, AdvantageConfig(), timeout_s=0.05).startswith("no answer within 0.05 s")
