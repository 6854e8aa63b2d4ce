import math

import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.rewards.audit.decoy import audit_decoys
from emocal_rl.rewards.audit.honest_value import audit_honest_value
from emocal_rl.rewards.audit.landscape import Landscape, without_clip


def decoys(landscapes, values, name, num_classes=8):
    landscape = landscapes[name]
    config = landscape.composition.config
    unclipped = landscape if without_clip(config) is config else Landscape.of(without_clip(config))
    return audit_decoys(landscape, values[name], unclipped, num_classes)


def rounded(decoys):
    return {
        decoy.num_classes or decoy.confidence: tuple(
            None if value is None else round(value, 3) for value in (decoy.configured, decoy.unclipped)
        )
        for decoy in decoys
    }


def test_break_evens_of_the_paper(landscapes, values):
    found = rounded(decoys(landscapes, values, "loglik"))
    assert found[0.0] == (0.648, 0.648)
    assert found[0.01] == (0.642, 0.642)
    assert found[8] == (0.509, 0.509)
    assert found[3] == found[2] == (None, None)


def test_break_evens_of_the_official_reward(landscapes, values):
    found = rounded(decoys(landscapes, values, "official"))
    assert found[0.0] == (0.849, 0.849)
    assert found[0.01] == (0.844, 0.844)
    assert found[8] == (0.789, 0.789)
    assert found[2] == (None, None)


def test_break_evens_of_twice_the_brier_score(landscapes, values):
    found = rounded(decoys(landscapes, values, "brier-2"))
    assert found[0.0] == (0.5, 0.5)
    assert found[8] == (0.417, 0.417)  # p + (1 - p) / 7 = 1 / 2
    assert found[2] == (None, None)


def test_the_configured_clip_stands_beside_the_limit():
    config = RewardConfig.model_validate({"confidence": {"params": {"clip": 0.1}}})
    landscape = Landscape.of(config)
    found = audit_decoys(landscape, audit_honest_value(landscape), Landscape.of(without_clip(config)), 8)
    assert found[0].unclipped == pytest.approx(0.6484, abs=1e-4)
    p = found[0].configured
    assert p + p * math.log(p) + (1 - p) * math.log(1 - p) == pytest.approx(math.log(0.9), abs=1e-4)


def test_brier_has_no_decoy_and_a_reward_without_correctness_always_one(landscapes, values):
    assert all(decoy.configured is None for decoy in decoys(landscapes, values, "brier"))
    assert rounded(decoys(landscapes, values, "sayself"))[8] == (1.0, 1.0)


def test_the_number_of_classes_of_the_question_is_listed(landscapes, values):
    assert [decoy.num_classes for decoy in decoys(landscapes, values, "brier", 5)] == [None, None, 2, 3, 5, 6, 7, 8, 25]
