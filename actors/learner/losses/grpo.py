from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class PolicyLoss:
    """The clipped surrogate of one micro-batch: its share of the loss, and per token what happened.

    `loss`: scalar. `ratio`: (N,) importance ratios, detached. `clipped`: (N,) bool, true where clipping removed the
    token's gradient.
    """

    loss: torch.Tensor
    ratio: torch.Tensor
    clipped: torch.Tensor


def policy_loss(
    logprobs: torch.Tensor,
    old_logprobs: torch.Tensor,
    advantages: torch.Tensor,
    weights: torch.Tensor,
    clip_ratio: float,
    clip_ratio_high: float | None = None,
) -> PolicyLoss:
    """Clipped policy gradient of paper equation 5, without its KL term.

    Args:
        logprobs: (N,) log-probs of the response tokens under the policy that is trained.
        old_logprobs: (N,) the same under the policy that sampled them.
        advantages: (N,) the advantage of each token: its response's, or its segment's.
        weights: (N,) from `token_weights`.
        clip_ratio: the ratio is held within 1 - clip_ratio .. 1 + clip_ratio.
        clip_ratio_high: takes clip_ratio's place above 1: clip-higher, which lets unlikely tokens gain more (DAPO, Yu
            et al. 2025, arXiv 2503.14476).
    """
    high = clip_ratio if clip_ratio_high is None else clip_ratio_high
    ratio = torch.exp(logprobs - old_logprobs)
    surrogate = ratio * advantages
    bounded = ratio.clamp(1.0 - clip_ratio, 1.0 + high) * advantages
    loss = -(torch.minimum(surrogate, bounded) * weights).sum()
    return PolicyLoss(loss, ratio.detach(), (bounded < surrogate).detach())
