import math

import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.emotions.ring import ring_distance
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
from emocal_rl.rewards.audit.honest_value import audit_honest_value
from emocal_rl.rewards.audit.landscape import Landscape
from emocal_rl.rewards.audit.safe_exits import audit_safe_exits


def exits(landscapes, values, name):
    return {exit_.name: exit_ for exit_ in audit_safe_exits(landscapes[name], values[name])}


def test_the_official_flat_total_beats_a_wrong_answer_but_never_the_honest_expectation(landscapes, values):
    for exit_ in exits(landscapes, values, "official").values():
        assert (exit_.right, exit_.wrong) == (-5.0, -5.0)
        ((threshold, end),) = exit_.beats_wrong
        assert (round(threshold, 4), end) == (0.9502, 1.0)
        ((start, threshold),) = exit_.beats_right
        assert (start, round(threshold, 4)) == (0.0, 0.0302)
        assert exit_.beats_honesty == ()
        assert exit_.margin == pytest.approx(5.0518, abs=1e-4)


def test_the_paper_has_no_safe_exit(landscapes, values):
    found = exits(landscapes, values, "loglik")
    assert found["no tags"].wrong == pytest.approx(math.log(0.001))
    assert found["no confidence"].right == pytest.approx(1 + math.log(0.001))
    assert found["unreadable confidence"].right == pytest.approx(2 + math.log(0.001))
    assert all(not exit_.beats_wrong and not exit_.beats_honesty for exit_ in found.values())


def test_an_unreadable_answer_always_pays_under_sayself(landscapes, values):
    assert exits(landscapes, values, "sayself")["no tags"].beats_honesty == ((0.0, 1.0),)


def test_a_masked_exit_has_no_total(landscapes, values):
    assert math.isnan(exits(landscapes, values, "unclipped")["no tags"].wrong)


def test_an_exit_after_a_wrong_answer_is_worth_the_mean_over_the_wrong_labels():
    values = {"correctness": {"params": {"ring_credit": 0.5}}, "confidence": {"rule": "brier", "invalid": "zero"}}
    landscape = Landscape.of(RewardConfig.model_validate(values))
    found = {exit_.name: exit_ for exit_ in audit_safe_exits(landscape, audit_honest_value(landscape))}
    label, *wrong = landscape.sample.candidates
    credits_ = [0.5 * (1 - 2 * ring_distance(TAXONOMIES["mikels8"], answer, label)) for answer in wrong]
    assert found["no confidence"].wrong == pytest.approx(sum(credits_) / 7)
    assert found["unreadable confidence"].wrong == pytest.approx(1 + sum(credits_) / 7)
    assert (found["no confidence"].right, found["no tags"].wrong) == (1.0, 0.0)
