import numpy as np
import pytest
import torch

from emocal_rl.actors.learner.losses.sft import token_cross_entropy


def test_only_tokens_that_carry_loss_count() -> None:
    logits = np.random.default_rng(0).normal(size=(5, 7))
    tokens, carries_loss = np.array([1, 4, 0, 6, 2]), np.array([True, False, True, True, False])
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = -np.log(probabilities[np.arange(5), tokens])[carries_loss].mean()

    logprobs = torch.tensor(logits, requires_grad=True).log_softmax(-1)[torch.arange(5), torch.tensor(tokens)]
    loss = token_cross_entropy(logprobs, torch.tensor(carries_loss), num_tokens=3)
    assert loss.item() == pytest.approx(expected)


def test_micro_batches_add_up_to_the_mean_over_all_tokens() -> None:
    logprobs = torch.tensor([-1.0, -2.0, -4.0])
    mask = torch.tensor([True, True, True])
    parts = [token_cross_entropy(logprobs[part], mask[part], 3) for part in (slice(0, 1), slice(1, 3))]
    assert float(sum(parts)) == pytest.approx(7 / 3)


def test_a_micro_batch_without_loss_tokens_has_zero_loss_and_a_gradient() -> None:
    logprobs = torch.tensor([-1.0], requires_grad=True)
    token_cross_entropy(logprobs, torch.tensor([False]), 3).backward()
    assert logprobs.grad is not None
    assert logprobs.grad.tolist() == [0.0]
