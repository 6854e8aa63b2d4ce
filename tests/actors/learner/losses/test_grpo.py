import numpy as np
import pytest
import torch

from emocal_rl.actors.learner.losses.grpo import policy_loss
from emocal_rl.actors.learner.losses.token_weights import token_weights
from emocal_rl.platform.contracts import LossDenominators

MAX_TOKENS = 9


def reference_loss(
    new: list[np.ndarray], old: list[np.ndarray], advantages: list[float], clip: tuple[float, float], aggregation: str
) -> float:
    """Paper equation 5 without the KL, written from the formula: one response at a time, in float64."""
    per_response = []
    for logprobs, old_logprobs, advantage in zip(new, old, advantages, strict=True):
        ratio = np.exp(logprobs - old_logprobs)
        clipped = np.clip(ratio, 1 - clip[0], 1 + clip[1])
        per_response.append(-np.minimum(ratio * advantage, clipped * advantage))
    if aggregation == "token-mean":
        return float(np.concatenate(per_response).mean())
    if aggregation == "seq-mean-token-sum-norm":
        return float(np.mean([tokens.sum() / MAX_TOKENS for tokens in per_response]))
    return float(np.mean([tokens.mean() for tokens in per_response]))


@pytest.mark.parametrize("aggregation", ["seq-mean-token-mean", "token-mean", "seq-mean-token-sum-norm"])
@pytest.mark.parametrize("high", [None, 0.28])
def test_loss_equals_the_formula_by_value(aggregation: str, high: float | None) -> None:
    rng = np.random.default_rng(0)
    lengths, advantages = [3, 7, 1, 5], [0.7, -1.2, 0.4, -0.1]
    old = [rng.normal(-1, 0.5, length) for length in lengths]
    new = [logprobs + rng.normal(0, 0.4, len(logprobs)) for logprobs in old]
    flat = [torch.tensor(np.concatenate(values), dtype=torch.float64) for values in (new, old)]
    sizes = torch.tensor(lengths)
    result = policy_loss(
        *flat,
        torch.tensor(advantages, dtype=torch.float64).repeat_interleave(sizes),
        token_weights(sizes, LossDenominators(4, 16), aggregation, MAX_TOKENS).double(),  # type: ignore[arg-type]
        clip_ratio=0.2,
        clip_ratio_high=high,
    )
    expected = reference_loss(new, old, advantages, (0.2, high or 0.2), aggregation)
    assert float(result.loss) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("ratio", "advantage", "gradient", "clipped"),
    [(1.25, 2.0, -2.5, False), (1.4, 2.0, 0.0, True), (0.75, -2.0, 0.0, True), (0.85, -2.0, 1.7, False)],
)
def test_clip_higher_leaves_the_lower_bound(ratio: float, advantage: float, gradient: float, clipped: bool) -> None:
    logprobs = torch.tensor([np.log(ratio)], requires_grad=True)
    result = policy_loss(
        logprobs, torch.zeros(1), torch.tensor([advantage]), torch.ones(1), clip_ratio=0.2, clip_ratio_high=0.3
    )
    result.loss.backward()
    assert float(logprobs.grad) == pytest.approx(gradient)  # type: ignore[arg-type]
    assert result.clipped.tolist() == [clipped]


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "gradient", "clipped"),
    [
        (1.5, 2.0, -2.4, 0.0, True),  # above the upper bound and better than before: no further
        (1.5, -2.0, 3.0, 3.0, False),  # above the upper bound but worse: full gradient back
        (0.5, -2.0, 1.6, 0.0, True),  # below the lower bound and worse than before: no further
        (0.5, 2.0, -1.0, -1.0, False),  # below the lower bound but better: full gradient back
        (1.1, 2.0, -2.2, -2.2, False),
    ],
)
def test_clipping_on_both_sides(ratio: float, advantage: float, loss: float, gradient: float, clipped: bool) -> None:
    logprobs = torch.tensor([np.log(ratio)], requires_grad=True)
    result = policy_loss(logprobs, torch.zeros(1), torch.tensor([advantage]), torch.ones(1), clip_ratio=0.2)
    result.loss.backward()
    assert float(result.loss) == pytest.approx(loss)
    assert float(logprobs.grad) == pytest.approx(gradient)  # type: ignore[arg-type]
    assert result.clipped.tolist() == [clipped]
    assert float(result.ratio) == pytest.approx(ratio)
