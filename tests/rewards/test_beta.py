import pytest
from scipy.integrate import quad

from emocal_rl.platform.contracts import ParsedResponse, Sample
from emocal_rl.platform.errors import RewardError
from emocal_rl.rewards.beta import beta
from emocal_rl.rewards.brier import brier
from emocal_rl.rewards.registry import RewardInput, resolve_rule

SHAPES = [(1.0, 1.0), (0.5, 0.5), (0.5, 2.0), (3.0, 1.5), (8.0, 8.0)]


def judged(*, correct, confidence):
    sample = Sample("s", (), "Q?", ("awe",), "awe", "FI-8")
    return RewardInput(sample, "", ParsedResponse({}, "awe", confidence, None, True), correct, "stop")


@pytest.mark.parametrize("confidence", [0.0, 0.3, 0.85, 1.0])
@pytest.mark.parametrize("correct", [True, False])
def test_it_is_brier_where_both_parameters_are_one(correct, confidence):
    x = judged(correct=correct, confidence=confidence)
    assert beta(x) == pytest.approx(brier(x), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("alpha", "beta_"), SHAPES)
def test_the_closed_form_is_the_integral_over_thresholds(alpha, beta_):
    def if_right(t):
        return t ** (alpha - 1) * (1 - t) ** beta_

    def if_wrong(t):
        return t**alpha * (1 - t) ** (beta_ - 1)

    largest = max(quad(if_right, 0, 1)[0], quad(if_wrong, 0, 1)[0])
    for c in (0.1, 0.4, 0.9):
        right, wrong = (beta(judged(correct=y, confidence=c), alpha=alpha, beta=beta_) for y in (True, False))
        assert right == pytest.approx(-quad(if_right, c, 1)[0] / largest, rel=1e-7)
        assert wrong == pytest.approx(-quad(if_wrong, 0, c)[0] / largest, rel=1e-7)


@pytest.mark.parametrize(("alpha", "beta_"), SHAPES)
@pytest.mark.parametrize("percent", [0, 5, 35, 50, 60, 85, 100])
def test_honesty_maximises_the_expected_score(alpha, beta_, percent):
    def expected(stated):
        right, wrong = (
            beta(judged(correct=y, confidence=stated / 100), alpha=alpha, beta=beta_) for y in (True, False)
        )
        return percent * right + (100 - percent) * wrong

    assert max(range(101), key=expected) == percent


@pytest.mark.parametrize(("alpha", "beta_"), SHAPES)
def test_worst_is_the_lowest_value_there_is(alpha, beta_):
    rule = resolve_rule("beta", {"alpha": alpha, "beta": beta_})
    values = [rule(judged(correct=right, confidence=c / 100)) for right in (True, False) for c in range(101)]
    assert rule.worst == pytest.approx(min(values), rel=1e-12)
    assert max(values) == 0.0


def test_an_unbounded_member_is_refused():
    with pytest.raises(RewardError, match=r"reward\.params\.alpha = 0: .*greater than 0"):
        resolve_rule("beta", {"alpha": 0})
