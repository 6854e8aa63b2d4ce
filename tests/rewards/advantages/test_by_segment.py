import math

import pytest

from emocal_rl.platform.config.reward import AdvantageConfig
from emocal_rl.rewards.advantages import group_advantages

TERMS = [
    {"format": 1.0, "correctness": 2.0, "confidence": -0.2},
    {"format": 1.0, "correctness": 0.0, "confidence": -0.4},
    {"format": 1.0, "correctness": 0.0, "confidence": -0.9},
    {"format": 0.0, "correctness": 2.0, "confidence": -5.0},
]
TOTALS = [sum(terms.values()) for terms in TERMS]
NONE = (False,) * 4


def test_answers_learn_from_the_rest_and_confidences_from_their_term() -> None:
    group = group_advantages(TOTALS, NONE, AdvantageConfig(), TERMS, stated=[True] * 4)
    # format + correctness: 3, 1, 1, 2, mean 1.75; confidence: mean -1.625
    assert group.values == pytest.approx((1.25, -0.75, -0.75, 0.25))
    assert group.confidences == pytest.approx((1.425, 1.225, 0.725, -3.375))
    # together they are what a response learns as a whole
    whole = group_advantages(TOTALS, NONE, AdvantageConfig(), TERMS)
    both = [answer + confidence for answer, confidence in zip(group.values, group.confidences, strict=True)]
    assert both == pytest.approx(whole.values)
    assert whole.confidences == ()


def test_one_that_states_none_learns_as_a_whole_and_moves_no_baseline() -> None:
    group = group_advantages(TOTALS, NONE, AdvantageConfig(), TERMS, stated=[True, True, True, False])
    assert group.values == pytest.approx((1.25, -0.75, -0.75, -3.0 - sum(TOTALS) / 4))
    assert group.confidences[:3] == pytest.approx((0.3, 0.1, -0.4))  # mean -0.5, without the fourth's fine
    assert group.confidences[3] is None


def test_normalising_leaves_confidences_raw() -> None:
    group = group_advantages(TOTALS, NONE, AdvantageConfig(normalize=True, epsilon=0), TERMS, stated=[True] * 4)
    deviation = math.sqrt((1.25**2 + 2 * 0.75**2 + 0.25**2) / 3)
    assert group.values == pytest.approx([value / deviation for value in (1.25, -0.75, -0.75, 0.25)])
    assert group.confidences == pytest.approx((1.425, 1.225, 0.725, -3.375))


def test_term_by_term_sums_the_answers_terms_alone() -> None:
    config = AdvantageConfig(estimator="per-term", normalize=True, epsilon=0)
    group = group_advantages(TOTALS, NONE, config, TERMS, {"correctness": 2.0}, stated=[True] * 4)
    formats = [0.25, 0.25, 0.25, -0.75]  # standard deviation 1/2
    right = [1.0, -1.0, -1.0, 1.0]  # standard deviation sqrt(4/3)
    expected = [2 * form + 2 * hit / math.sqrt(4 / 3) for form, hit in zip(formats, right, strict=True)]
    assert group.values == pytest.approx(expected)


def test_masked_responses_take_no_part() -> None:
    totals, masked = [*TOTALS[:3], math.nan], (False, False, False, True)
    group = group_advantages(totals, masked, AdvantageConfig(), [*TERMS[:3], {}], stated=[True] * 4)
    assert group.values == pytest.approx((4 / 3, -2 / 3, -2 / 3, 0.0))
    assert group.confidences == pytest.approx((0.3, 0.1, -0.4, 0.0))


def test_terms_that_cancel_out_still_teach() -> None:
    terms = [{"correctness": 1.0, "confidence": -1.0}, {"correctness": 0.0, "confidence": 0.0}]
    group = group_advantages([0.0, 0.0], (False, False), AdvantageConfig(), terms, stated=[True, True])
    assert (group.values, group.confidences, group.zero_variance) == ((0.5, -0.5), (-0.5, 0.5), False)
    same = group_advantages([0.0, 0.0], (False, False), AdvantageConfig(), [terms[0]] * 2, stated=[True, True])
    assert (same.confidences, same.zero_variance) == ((0.0, 0.0), True)
