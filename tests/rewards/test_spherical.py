import math

import pytest

from emocal_rl.platform.contracts import ParsedResponse, Sample
from emocal_rl.rewards.registry import RewardInput, resolve_rule
from emocal_rl.rewards.spherical import spherical


def judged(*, correct, confidence):
    sample = Sample("s", (), "Q?", ("awe",), "awe", "FI-8")
    return RewardInput(sample, "", ParsedResponse({}, "awe", confidence, None, True), correct, "stop")


@pytest.mark.parametrize(
    ("correct", "confidence", "value"),
    [
        (True, 0.8, 0.8 / math.sqrt(0.68)),
        (False, 0.8, 0.2 / math.sqrt(0.68)),
        (True, 0.5, math.sqrt(0.5)),
        (True, 1.0, 1.0),
        (False, 1.0, 0.0),
    ],
)
def test_by_value(correct, confidence, value):
    assert spherical(judged(correct=correct, confidence=confidence)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("percent", [0, 5, 35, 50, 60, 85, 100])
def test_honesty_maximises_the_expected_score(percent):
    def expected(stated):
        right, wrong = (spherical(judged(correct=right, confidence=stated / 100)) for right in (True, False))
        return percent * right + (100 - percent) * wrong

    assert max(range(101), key=expected) == percent


def test_worst_is_the_lowest_value_there_is():
    rule = resolve_rule("spherical", {})
    values = [rule(judged(correct=right, confidence=c / 100)) for right in (True, False) for c in range(101)]
    assert rule.worst == min(values) == 0.0
