import math

import pytest

from emocal_rl.platform.contracts import ParsedResponse, Sample
from emocal_rl.rewards.loglik import loglik
from emocal_rl.rewards.registry import RewardInput, resolve_rule


def judged(*, correct, confidence):
    sample = Sample("s", (), "Q?", ("awe",), "awe", "FI-8")
    return RewardInput(sample, "", ParsedResponse({}, "awe", confidence, None, True), correct, "stop")


@pytest.mark.parametrize(
    ("correct", "confidence", "value"),
    [
        (True, 0.8, math.log(0.8)),
        (False, 0.8, math.log(0.2)),
        (True, 1.0, math.log(0.999)),
        (True, 0.0, math.log(1e-3)),
    ],
)
def test_by_value(correct, confidence, value):
    assert loglik(judged(correct=correct, confidence=confidence)) == pytest.approx(value, rel=1e-12)


def test_unclipped():
    assert loglik(judged(correct=True, confidence=1.0), clip=0.0) == 0.0
    assert loglik(judged(correct=False, confidence=1.0), clip=0.0) == -math.inf
    assert resolve_rule("loglik", {"clip": 0.0}).worst == -math.inf


@pytest.mark.parametrize("clip", [0.001, 0.2])
def test_worst_is_the_lowest_value_there_is(clip):
    rule = resolve_rule("loglik", {"clip": clip})
    values = [rule(judged(correct=right, confidence=c / 100)) for right in (True, False) for c in range(101)]
    assert rule.worst == pytest.approx(min(values), rel=1e-12)


@pytest.mark.parametrize("probability", [0.1, 0.35, 0.6, 0.85])
def test_honesty_maximises_the_expected_score(probability):
    def expected(percent):
        c = percent / 100
        right, wrong = (loglik(judged(correct=right, confidence=c)) for right in (True, False))
        return probability * right + (1 - probability) * wrong

    assert max(range(101), key=expected) == round(100 * probability)
