import numpy as np
import pytest

from emocal_rl.platform.config.reward import AdvantageConfig
from emocal_rl.rewards.advantages.group import group_advantages
from emocal_rl.rewards.audit.enumerated_gradient import EnumeratedGradient, compositions, num_compositions
from emocal_rl.rewards.audit.quadrature_gradient import QuadratureGradient

LEVELS = np.linspace(0, 1, 5)
RIGHT, WRONG = 2 - (1 - LEVELS) ** 2, 1 - LEVELS**2
POLICY = np.array([[0.1, 0.2], [0.25, 0.2], [0.3, 0.2], [0.05, 0.2], [0.3, 0.2]])
PROBABILITY = np.array([0.7, 0.4])


def by_brute_force(policy, probability, group_size, *, shared, epsilon=0.0, rewards=(RIGHT, WRONG)):
    """Every ordered group of levels and outcomes, through the estimator that training uses."""
    gradient = np.zeros(len(policy))
    config = AdvantageConfig(normalize=True, epsilon=epsilon)
    for group in np.ndindex(*(len(policy),) * group_size):
        for outcomes in [(0,) * group_size, (1,) * group_size] if shared else np.ndindex(*(2,) * group_size):
            chances = [probability if right else 1 - probability for right in outcomes]
            weight = np.prod(policy[list(group)]) * (chances[0] if shared else np.prod(chances))
            totals = [rewards[not right][level] for level, right in zip(group, outcomes, strict=True)]
            advantages = group_advantages(totals, [False] * group_size, config).values
            np.add.at(gradient, list(group), weight * np.array(advantages) / group_size)
    return gradient


def test_compositions_are_all_ways_to_fill_a_group():
    found = compositions(3, 2)
    assert sorted(map(tuple, found.tolist())) == [(0, 0, 2), (0, 1, 1), (0, 2, 0), (1, 0, 1), (1, 1, 0), (2, 0, 0)]
    assert len(compositions(5, 4)) == num_compositions(5, 4) == 70
    assert num_compositions(11, 8) == 43758


def test_enumeration_is_the_estimator_of_training_summed_over_all_groups():
    found = EnumeratedGradient.of(RIGHT, WRONG, 4, 0.0)(POLICY, PROBABILITY)
    for column in range(2):
        expected = by_brute_force(POLICY[:, column], PROBABILITY[column], 4, shared=True)
        np.testing.assert_allclose(found[:, column], expected, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=0), 0, atol=1e-6)


@pytest.mark.parametrize("correctness", ["shared", "independent"])
def test_quadrature_agrees_with_every_group_written_out(correctness):
    found = QuadratureGradient.of(RIGHT, WRONG, 3, correctness)(POLICY, PROBABILITY)
    expected = by_brute_force(POLICY[:, 0], PROBABILITY[0], 3, shared=correctness == "shared")
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-4)


@pytest.mark.parametrize("correctness", ["shared", "independent"])
@pytest.mark.parametrize("epsilon", [1e-6, 0.1, 1.0])
def test_quadrature_adds_epsilon_to_the_standard_deviation(correctness, epsilon):
    found = QuadratureGradient.of(10 * RIGHT, 10 * WRONG, 3, correctness, epsilon=epsilon)(POLICY, PROBABILITY)
    shared = correctness == "shared"
    expected = by_brute_force(
        POLICY[:, 0], PROBABILITY[0], 3, shared=shared, epsilon=epsilon, rewards=(10 * RIGHT, 10 * WRONG)
    )
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-4)


@pytest.mark.parametrize("group_size", [2, 3])
@pytest.mark.parametrize("correctness", ["shared", "independent"])
def test_totals_that_are_almost_equal_are_told_apart(group_size, correctness):
    rewards = np.array([0.0, 0.3, 0.3001, 0.99998, 1.0]), np.array([1.0, 0.70005, 0.7, 0.2, 0.0])
    found = QuadratureGradient.of(*rewards, group_size, correctness)(POLICY, PROBABILITY)
    shared = correctness == "shared"
    expected = by_brute_force(POLICY[:, 0], PROBABILITY[0], group_size, shared=shared, rewards=rewards)
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-4)


def test_quadrature_agrees_with_sampled_groups_of_64():
    random = np.random.default_rng(0)
    levels = random.choice(5, size=(40_000, 64), p=POLICY[:, 0])
    totals = np.where(random.random(levels.shape) < 0.7, RIGHT[levels], WRONG[levels])
    advantages = (totals - totals.mean(1, keepdims=True)) / totals.std(1, ddof=1, keepdims=True)
    sampled = [float((advantages * (levels == level)).mean()) for level in range(5)]
    found = QuadratureGradient.of(RIGHT, WRONG, 64, "independent")(POLICY[:, :1], PROBABILITY[:1])
    np.testing.assert_allclose(found[:, 0], sampled, atol=2e-3)


def test_the_scale_of_the_reward_does_not_matter_and_equal_totals_push_nowhere():
    once, tenfold = (QuadratureGradient.of(k * RIGHT, k * WRONG, 8, "independent") for k in (1.0, 10.0))
    np.testing.assert_allclose(once(POLICY, PROBABILITY), tenfold(POLICY, PROBABILITY), atol=1e-12)
    flat = np.ones(5)
    assert not QuadratureGradient.of(flat, flat, 8, "shared")(POLICY, PROBABILITY).any()
    assert not EnumeratedGradient.of(flat, flat, 3, 1e-6)(POLICY, PROBABILITY).any()
