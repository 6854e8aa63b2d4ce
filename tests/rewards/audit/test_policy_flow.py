import numpy as np

from emocal_rl.rewards.audit.policy_flow import follow

LEVELS = np.linspace(0, 1, 5)


def test_a_policy_settles_where_its_gradient_leads():
    def towards_p(policy, probability):
        gain = -((LEVELS[:, None] - probability) ** 2)
        return policy * (gain - (policy * gain).sum(axis=0))

    start = np.full((5, 3), 0.2)
    end = follow(towards_p, start, np.array([0.0, 0.5, 0.75]))
    assert end.settled.all()
    np.testing.assert_allclose(LEVELS @ end.policy, [0.0, 0.5, 0.75], atol=0.01)


def test_without_a_push_nothing_moves():
    start = np.full((5, 1), 0.2)
    end = follow(lambda policy, _: np.zeros_like(policy), start, np.array([0.5]))
    assert end.settled.all()
    np.testing.assert_allclose(end.policy, start)
