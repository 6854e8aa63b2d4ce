import math

import numpy as np
import pytest

from emocal_rl.platform.config.reward import AdvantageConfig
from emocal_rl.platform.contracts import RewardedResponse, ScoredGroup
from emocal_rl.rewards.advantages import group_advantages
from emocal_rl.rewards.advantages.batch_normalized import batch_normalized
from emocal_rl.rewards.advantages.estimate import estimate

GROUP = [1.0, 2.0, 3.0, 6.0]
NONE = (False,) * 4


def configured(estimator, normalize=True, epsilon=0.0):
    return AdvantageConfig(estimator=estimator, normalize=normalize, epsilon=epsilon)


def reference(rewards, config):
    """One group by the formulas, a loop at a time."""
    advantages = []
    for index, reward in enumerate(rewards):
        others = [other for place, other in enumerate(rewards) if place != index]
        baseline = sum(others) / len(others) if config.estimator == "rloo" else sum(rewards) / len(rewards)
        advantages.append(reward - baseline)
    if config.normalize:
        mean = sum(rewards) / len(rewards)
        std = math.sqrt(sum((reward - mean) ** 2 for reward in rewards) / (len(rewards) - 1))
        advantages = [advantage / (std + config.epsilon) for advantage in advantages]
    return advantages


@pytest.mark.parametrize("estimator", ["grpo", "rloo"])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("epsilon", [0.0, 0.5])
def test_estimators_of_a_group_by_value_one_by_one_and_many_at_once(estimator, normalize, epsilon):
    config = configured(estimator, normalize, epsilon)
    groups = np.random.default_rng(0).normal(size=(3, 5, 8))
    together = estimate(groups, config)
    for place in np.ndindex(3, 5):
        expected = reference(groups[place].tolist(), config)
        assert together[place] == pytest.approx(expected, rel=1e-10)
        assert group_advantages(groups[place], (False,) * 8, config).values == pytest.approx(expected, rel=1e-10)


def test_leave_one_out_by_hand():
    values = group_advantages(GROUP, NONE, configured("rloo", normalize=False)).values
    assert values == pytest.approx((1 - 11 / 3, 2 - 10 / 3, 3 - 3, 6 - 2), rel=1e-12, abs=1e-12)
    masked = group_advantages([1.0, math.nan, 2.0, 6.0], (False, True, False, False), configured("rloo", False)).values
    assert masked == pytest.approx((-3.0, 0.0, -1.5, 4.5), rel=1e-12)


def test_a_constant_group_among_others_has_no_advantage():
    values = estimate(np.array([[0.1, 0.1, 0.1], [0.0, 0.0, 3.0]]), configured("grpo"))
    assert values[0].tolist() == [0.0, 0.0, 0.0]
    assert values[1] == pytest.approx(np.array([-1, -1, 2]) / math.sqrt(3), rel=1e-12)


def test_per_term_normalises_each_term_and_weighs_it_again():
    terms = [{"correctness": 2.0 * y, "confidence": c} for y, c in ((1, -4.0), (1, 0.0), (0, -4.0), (0, -8.0))]
    totals = [sum(term.values()) for term in terms]
    weights = {"correctness": 2.0, "confidence": 1.0}
    config = configured("per-term", epsilon=0.25)
    correctness = [1 / (2 * math.sqrt(1 / 3) + 0.25) * sign for sign in (1, 1, -1, -1)]
    confidence = [value / (math.sqrt(32 / 3) + 0.25) for value in (0.0, 4.0, 0.0, -4.0)]
    expected = [2.0 * y + c for y, c in zip(correctness, confidence, strict=True)]
    assert group_advantages(totals, NONE, config, terms, weights).values == pytest.approx(expected, rel=1e-12)


def test_per_term_learns_where_terms_trade_off_and_totals_are_equal():
    terms = [{"correctness": 1.0, "confidence": -1.0}, {"correctness": 0.0, "confidence": 0.0}]
    weights = {"correctness": 3.0, "confidence": 1.0}
    group = group_advantages([0.0, 0.0], (False, False), configured("per-term"), terms, weights)
    assert group.values == pytest.approx((math.sqrt(2), -math.sqrt(2)), rel=1e-12)
    assert not group.zero_variance
    same = group_advantages([0.0, 0.0], (False, False), configured("per-term"), [terms[0]] * 2, weights)
    assert (same.values, same.zero_variance) == ((0.0, 0.0), True)


def test_a_term_that_a_response_lacks_is_zero_and_masked_responses_have_none():
    terms = [{"format": 1.0, "malformed": 0.0}, {"malformed": -5.0}, {}]
    group = group_advantages([1.0, -5.0, 0.0], (False, False, True), configured("per-term"), terms, {"format": 2.0})
    half = 1 / math.sqrt(2)
    assert group.values == pytest.approx((2 * half + half, -3 * half, 0.0), rel=1e-12)


def scored(totals, masked, config):
    rewarded = tuple(
        RewardedResponse({}, total, False, None, True, None, "error" if mask else None)
        for total, mask in zip(totals, masked, strict=True)
    )
    group = group_advantages(totals, masked, config)
    return ScoredGroup("s", "t", rewarded, group.values, (1,) * len(totals), 1, zero_variance=group.zero_variance)


def test_batch_divides_all_groups_by_one_standard_deviation():
    config = configured("batch", epsilon=0.125)
    groups = [scored(GROUP, NONE, config), scored([0.0, 9.0, 4.0, 0.0], (False, True, False, True), config)]
    assert groups[0].advantages == (-2.0, -1.0, 0.0, 3.0)  # centred, until the whole step is there
    std = math.sqrt((4 + 1 + 0 + 9 + 4 + 4) / 5)
    first, second = batch_normalized(groups, config)
    assert first.advantages == pytest.approx(np.array([-2.0, -1.0, 0.0, 3.0]) / (std + 0.125), rel=1e-12)
    assert second.advantages == pytest.approx(np.array([-2.0, 0.0, 2.0, 0.0]) / (std + 0.125), rel=1e-12)
    assert second.rewarded == groups[1].rewarded


def test_a_batch_that_teaches_nothing_stays_zero():
    config = configured("batch")
    groups = [scored([1.0, 1.0], (False, False), config), scored([1.0, 2.0], (True, True), config)]
    assert batch_normalized(groups, config) == groups
