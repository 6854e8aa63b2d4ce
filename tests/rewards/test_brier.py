import pytest

from emocal_rl.platform.contracts import ParsedResponse, Sample
from emocal_rl.rewards.brier import brier
from emocal_rl.rewards.registry import RewardInput


def judged(*, correct, confidence):
    sample = Sample("s", (), "Q?", ("awe",), "awe", "FI-8")
    return RewardInput(sample, "", ParsedResponse({}, "awe", confidence, None, True), correct, "stop")


@pytest.mark.parametrize(
    ("correct", "confidence", "value"), [(True, 0.8, -0.04), (False, 0.8, -0.64), (True, 1.0, 0.0), (False, 1.0, -1.0)]
)
def test_by_value(correct, confidence, value):
    assert brier(judged(correct=correct, confidence=confidence)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("probability", [0.1, 0.35, 0.6, 0.85])
def test_honesty_maximises_the_expected_score(probability):
    def expected(percent):
        right, wrong = (brier(judged(correct=right, confidence=percent / 100)) for right in (True, False))
        return probability * right + (1 - probability) * wrong

    assert max(range(101), key=expected) == round(100 * probability)
