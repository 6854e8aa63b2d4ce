import numpy as np
import pytest
import torch

from emocal_rl.actors.learner.losses.kl import forward_kl, k3


def test_k3_by_value() -> None:
    logprobs, reference = torch.tensor([-1.0, -2.0, -0.5]), torch.tensor([-1.0, -1.5, -1.5])
    expected = [0.0, np.exp(0.5) - 0.5 - 1, np.exp(-1.0) + 1.0 - 1]
    assert k3(logprobs, reference).tolist() == pytest.approx(expected, rel=1e-6)


def test_k3_is_unbiased_for_the_kl() -> None:
    policy, reference = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
    estimates = k3(torch.tensor(np.log(policy)), torch.tensor(np.log(reference))).numpy()
    assert (policy * estimates).sum() == pytest.approx((policy * np.log(policy / reference)).sum())


def test_k3_keeps_its_precision_where_the_policies_nearly_agree() -> None:
    assert k3(torch.tensor([-1.0]), torch.tensor([-1.0 + 2**-10])).item() == pytest.approx(2**-21, rel=1e-2)


def test_forward_kl_by_value() -> None:
    frozen, policy = np.array([[0.7, 0.2, 0.1]]), np.array([[0.3, 0.3, 0.4]])
    expected = (frozen * np.log(frozen / policy)).sum()
    assert forward_kl(torch.tensor(np.log(policy)), torch.tensor(np.log(frozen))).item() == pytest.approx(expected)
