import json

import pytest

from emocal_rl.platform.config.reward import AdvantageConfig, RewardConfig
from emocal_rl.rewards.audit.audit import audit
from emocal_rl.rewards.registry import RewardInput, reward


@reward("test-audit-absolute", worst=-1.0)
def absolute(x: RewardInput) -> float:
    return -abs(x.correct - x.parsed.confidence)


def audited(reward_config, **advantage):
    config = RewardConfig.model_validate(reward_config)
    return audit(config, AdvantageConfig(**advantage), group_size=4, num_levels=6)


@pytest.fixture(scope="module")
def official():
    return audited({"preset": "official"})


def test_every_question_has_a_verdict_with_its_number(official):
    answers = {verdict.question: verdict for verdict in official.verdicts}
    assert [verdict.tone for verdict in official.verdicts[:5]] == ["good", "warning", "warning", "warning", "warning"]
    assert answers["Does a decoy beat honesty?"].number == pytest.approx(0.789, abs=1e-3)
    assert "below p = 0.849; with 8 classes and the rest uniform below p = 0.789" in official.verdicts[2].answer
    assert "“no tags” (-5) beats a wrong answer at c > 0.9502, never the honest" in official.verdicts[3].answer
    assert official.verdicts[4].answer == "Unbounded: right, c → 0, wrong, c → 1; -8.210 on two decimals."
    assert len(official.verdicts) == 8


def test_json_is_plain(official):
    data = json.loads(json.dumps(official.to_dict(), allow_nan=False))
    assert data["bounds"]["declared"] is None
    assert data["totals"]["right"][50] == pytest.approx(0.6137, abs=1e-4)
    for effect in data["effects"]:
        assert len(effect["policy"]) == len(effect["near"]) == 9
        bias = [mean - p for mean, p in zip(effect["mean"], effect["p"], strict=True)]
        assert effect["bias_by_p"] == pytest.approx(bias, abs=1e-12)
        assert effect["bias"] == pytest.approx(max(map(abs, bias)))


def test_a_bounded_reward_of_ones_own_without_a_decoy_is_told_from_an_improper_one():
    spherical = audited({"confidence": {"rule": "spherical"}})
    assert [verdict.tone for verdict in spherical.verdicts[:5]] == ["good"] * 5
    assert spherical.properness.verdict == "proper"
    improper = audited({"confidence": {"rule": "test-audit-absolute"}})
    assert not improper.is_proper
    assert "Improper: at p = 0." in improper.verdicts[0].answer


def test_the_verdict_is_about_the_configured_estimator():
    shared = audited({"confidence": {"rule": "brier"}}, normalize=True)
    assert shared.configured.correctness == "shared"
    assert not shared.is_proper
    assert shared.estimator == "normalised"
    over_the_batch = audited({"confidence": {"rule": "brier"}}, normalize=True, estimator="batch")
    assert (over_the_batch.configured.advantage, over_the_batch.estimator) == ("raw", "batch, normalised")


def test_a_confidence_that_teaches_its_own_tokens_leaves_no_decoy_and_no_polarising():
    whole, own = (
        audited({"confidence": {"rule": "loglik", "teaches": teaches}}, normalize=True)
        for teaches in ("response", "confidence")
    )
    assert (whole.is_proper, own.is_proper) == (False, True)
    assert any(decoy.configured is not None for decoy in whole.decoys)
    assert all(decoy.configured is None and decoy.unclipped is None for decoy in own.decoys)
    # An answer earns format + correctness: 1 + p.
    assert own.value.values == pytest.approx(1 + own.value.probabilities)
    assert [effect.advantage for effect in own.effects] == ["raw"]
    assert own.estimator == "normalised (raw on the confidence)"
    # What has no confidence is taught by its total, so the exit is as safe or unsafe as ever.
    assert [exit_.margin for exit_ in own.exits] == pytest.approx([exit_.margin for exit_ in whole.exits])
