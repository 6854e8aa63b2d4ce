import math

import pytest

from emocal_rl.rewards.audit.bounds import audit_bounds


def test_the_clip_bounds_the_log_score(landscapes):
    found = audit_bounds(landscapes["loglik"])
    assert (found.unbounded, found.masked) == ((), ())
    assert found.lowest == pytest.approx(1 + math.log(0.001))
    assert found.declared == pytest.approx(math.log(0.001))


def test_the_official_reward_is_unbounded_at_both_ends(landscapes):
    found = audit_bounds(landscapes["official"])
    assert found.unbounded == ("right, c → 0", "wrong, c → 1")
    assert found.lowest == pytest.approx(1 + 2 * math.log(0.01))
    assert found.declared == -math.inf


def test_what_is_not_finite_is_masked(landscapes):
    assert audit_bounds(landscapes["unclipped"]).masked == ("right, c = 0.00", "wrong, c = 1.00")


def test_brier_is_bounded(landscapes):
    found = audit_bounds(landscapes["brier"])
    assert (found.unbounded, found.lowest, found.highest) == ((), 0.0, 2.0)
