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


@pytest.mark.parametrize(
    ("epsilon", "group_size", "polarising"), [(1e-6, 8, True), (1e-6, 4096, True), (1.0, 8, False)]
)
def test_an_epsilon_above_a_groups_spread_makes_advantages_raw_again(landscapes, epsilon, group_size, polarising):
    brier, inner = landscapes["brier"], CONFIDENCES[1:-1]
    assert polarises(brier, group_size=group_size, epsilon=epsilon) is polarising
    settings = {"normalize": True, "group_size": group_size, "epsilon": epsilon}
    stable = inner[stable_confidences(brier.rights(inner), brier.wrongs(inner), 0.6, **settings)]
    assert stable.tolist() == [0.99 if polarising else 0.6]
