import numpy as np
import pytest

from emocal_rl.rewards.audit.estimator_effect import Levels, audit_estimators

COLD_START = [0] * 17 + [20, 40, 40]


@pytest.fixture(scope="module")
def effects(landscapes):
    """(name, group size) -> (advantage, correctness) -> effect from uniform."""
    return {
        (name, size): {
            (effect.advantage, effect.correctness): effect
            for effect in audit_estimators(landscapes[name], 11, size, 1e-6, {"uniform": None})
        }
        for name, size in (("brier", 8), ("brier", 64), ("loglik", 8))
    }


@pytest.mark.parametrize("key", [("brier", 8), ("brier", 64), ("loglik", 8)])
def test_raw_is_proper_and_normalised_polarises_where_correctness_is_shared(effects, key):
    raw, shared = effects[key]["raw", "any"], effects[key]["normalised", "shared"]
    assert (raw.verdict, raw.method, raw.error) == ("proper", "closed form", 0.0)
    np.testing.assert_allclose(raw.mean, np.arange(1, 10) / 10, atol=0.01)
    np.testing.assert_allclose(raw.near, 1.0, atol=0.011)
    assert shared.verdict == "polarising"
    assert shared.bias > 0.15
    assert (shared.mean[:3] < 0.12).all()
    assert (shared.mean[6:] > 0.88).all()


def test_independent_is_biased_at_8_and_nearly_proper_at_64(effects):
    small, large = (effects["brier", size]["normalised", "independent"] for size in (8, 64))
    assert small.verdict == "biased"
    assert small.mean[5] == pytest.approx(0.7, abs=0.01)  # p = 0.6, to the nearest level
    assert large.verdict == "nearly proper"
    assert large.bias < 0.01


def test_methods_and_their_errors(effects):
    assert effects["brier", 8]["normalised", "shared"].method == "enumeration"
    assert effects["brier", 64]["normalised", "shared"].method == "quadrature"
    assert 0 < effects["brier", 64]["normalised", "shared"].error < 1e-3


def test_a_cold_start_holds_what_it_hardly_ever_states(landscapes):
    uniform, cold = audit_estimators(landscapes["brier"], 11, 3, 1e-6, {"uniform": None, "cold": COLD_START})[:2]
    assert (uniform.start, uniform.verdict) == ("uniform", "proper")
    assert (cold.start, cold.verdict) == ("cold", "held by its start")
    assert cold.bias == pytest.approx(0.2, abs=0.01)  # what states 0.9 at p = 0.7 stays there


def test_a_histogram_is_spread_over_the_levels(landscapes):
    levels = Levels.of(landscapes["brier"], 11)
    start = levels.spread([0] * 19 + [10])
    assert start.argmax() == 10
    assert start.sum() == pytest.approx(1.0)
    assert start[0] == pytest.approx(0.005 / 1.055)


def test_levels_that_would_be_masked_are_left_out(landscapes):
    assert Levels.of(landscapes["unclipped"], 11).confidences.tolist() == pytest.approx(np.arange(1, 10) / 10)
