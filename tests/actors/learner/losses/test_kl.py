import numpy as np
import pytest
import torch

from emocal_rl.actors.learner.losses.forward_kl import forward_kl
from emocal_rl.actors.learner.losses.k1 import k1
from emocal_rl.actors.learner.losses.k2 import k2
from emocal_rl.actors.learner.losses.k3 import k3

POLICY, REFERENCE = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])


def test_k3_by_value() -> None:
    logprobs, reference = torch.tensor([-1.0, -2.0, -0.5]), torch.tensor([-1.0, -1.5, -1.5])
    expected = [0.0, np.exp(0.5) - 0.5 - 1, np.exp(-1.0) + 1.0 - 1]
    assert k3(logprobs, reference).tolist() == pytest.approx(expected, rel=1e-6)


def test_k1_and_k2_by_value() -> None:
    logprobs, reference = torch.tensor([-1.0, -2.0, -0.5]), torch.tensor([-1.0, -1.5, -1.5])
    assert k1(logprobs, reference).tolist() == [0.0, -0.5, 1.0]
    assert k2(logprobs, reference).tolist() == [0.0, 0.125, 0.5]


@pytest.mark.parametrize("estimator", [k1, k3])
def test_k1_and_k3_are_unbiased_for_the_kl(estimator) -> None:
    estimates = estimator(torch.tensor(np.log(POLICY)), torch.tensor(np.log(REFERENCE))).numpy()
    assert (POLICY * estimates).sum() == pytest.approx((POLICY * np.log(POLICY / REFERENCE)).sum())


@pytest.mark.parametrize(("estimator", "is_right"), [(k1, False), (k2, True)])
def test_the_expected_gradient_of_the_loss_on_policy(estimator, is_right: bool) -> None:
    logits = torch.tensor(np.log(POLICY), requires_grad=True)
    sampled = torch.tensor(POLICY)
    (sampled * estimator(logits.log_softmax(-1), torch.tensor(np.log(REFERENCE)))).sum().backward()
    log_ratio = np.log(POLICY / REFERENCE)
    gradient_of_kl = POLICY * (log_ratio - (POLICY * log_ratio).sum())
    expected = gradient_of_kl if is_right else np.zeros(3)
    assert logits.grad.numpy() == pytest.approx(expected, abs=1e-12)  # type: ignore[union-attr]


def test_k3_keeps_its_precision_where_the_policies_nearly_agree() -> None:
    assert k3(torch.tensor([-1.0]), torch.tensor([-1.0 + 2**-10])).item() == pytest.approx(2**-21, rel=1e-2)


def test_forward_kl_by_value() -> None:
    frozen, policy = np.array([[0.7, 0.2, 0.1]]), np.array([[0.3, 0.3, 0.4]])
    expected = (frozen * np.log(frozen / policy)).sum()
    assert forward_kl(torch.tensor(np.log(policy)), torch.tensor(np.log(frozen))).item() == pytest.approx(expected)
