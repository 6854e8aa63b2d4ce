import numpy as np
import pytest

from emocal_rl.rewards.audit.landscape import CONFIDENCES
from emocal_rl.rewards.audit.stable_confidence import polarises, stable_confidences


@pytest.mark.parametrize("name", ["loglik", "brier", "official"])
def test_normalised_leaves_only_the_extremes_and_raw_only_p(landscapes, name):
    inner = CONFIDENCES[1:-1]
    totals = landscapes[name].rights(inner), landscapes[name].wrongs(inner)
    assert inner[stable_confidences(*totals, 0.6, normalize=True)].tolist() == [0.99]
    assert inner[stable_confidences(*totals, 0.4, normalize=True)].tolist() == [0.01]
    assert inner[stable_confidences(*totals, 0.6, normalize=False)].tolist() == [0.6]
    assert polarises(landscapes[name])


def test_a_reward_that_ignores_confidence_holds_every_level():
    flat = np.ones(5)
    assert stable_confidences(flat, flat, 0.7, normalize=True).all()
