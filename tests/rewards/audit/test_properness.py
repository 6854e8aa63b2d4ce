import numpy as np
import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.rewards.audit.landscape import CONFIDENCES, Landscape
from emocal_rl.rewards.audit.properness import audit_properness
from emocal_rl.rewards.registry import RewardInput, reward


@reward("test-audit-linear", worst=-1.0)
def linear(x: RewardInput) -> float:
    return -abs(x.correct - x.parsed.confidence)


def audited(**confidence):
    return audit_properness(Landscape.of(RewardConfig.model_validate({"confidence": confidence})))


@pytest.mark.parametrize("name", ["loglik", "loglik-2", "brier", "brier-2", "sayself"])
def test_proper_rewards_peak_at_every_p(landscapes, name):
    found = audit_properness(landscapes[name])
    assert found.verdict == "proper"
    np.testing.assert_allclose(found.best, CONFIDENCES)
    assert found.gain.max() == pytest.approx(0, abs=1e-12)


def test_the_official_reward_refuses_only_0_and_1(landscapes):
    found = audit_properness(landscapes["official"])
    assert (found.verdict, round(found.bias, 9)) == ("proper", 0.01)
    assert found.best[[0, 1, 99, 100]].tolist() == [0.01, 0.01, 0.99, 0.99]
    assert found.most_gain[0] == pytest.approx(0, abs=1e-12)


def test_a_linear_score_is_improper():
    found = audited(rule="test-audit-linear")
    assert found.verdict == "improper"
    assert found.best[[40, 60]].tolist() == [0.0, 1.0]
    gain, p, c = found.most_gain
    assert (gain, abs(p - 0.5), abs(p - c)) == pytest.approx((0.125, 0.25, 0.25), abs=0.011)


def test_behind_a_correctness_gate_only_certainty_pays():
    found = audited(rule="loglik", gate="correctness")
    assert found.verdict == "improper"
    assert (found.best[1:] == 1.0).all()


def test_a_wide_clip_and_no_weight_are_flat():
    clipped = audited(rule="loglik", params={"clip": 0.05})
    assert (clipped.verdict, round(clipped.bias, 9)) == ("flat", 0.05)
    assert audited(rule="loglik", weight=0.0).verdict == "flat"


def test_a_masked_cell_is_no_candidate(landscapes):
    found = audit_properness(landscapes["unclipped"])
    assert found.verdict == "proper"
    assert np.isnan(found.expected[50, 100])
