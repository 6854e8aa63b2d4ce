import torch


def k3(logprobs: torch.Tensor, reference_logprobs: torch.Tensor) -> torch.Tensor:
    """Per-token estimate of KL(policy || reference): exp(r) - r - 1 with r = log reference - log policy.

    Non-negative, and unbiased for on-policy samples (Schulman, "Approximating KL divergence", k3).

    Args:
        logprobs: (N,) under the policy that is trained.
        reference_logprobs: (N,) under the frozen policy.
    """
    log_ratio = reference_logprobs - logprobs
    return torch.expm1(log_ratio) - log_ratio


def forward_kl(log_distribution: torch.Tensor, frozen_log_distribution: torch.Tensor) -> torch.Tensor:
    """Per-token KL(frozen || policy) over the whole vocabulary: (N, V), (N, V) -> (N,).

    Keeps a small model's other tokens in place while stage 2 trains the confidence tokens alone.
    """
    frozen = frozen_log_distribution.exp()
    return (frozen * (frozen_log_distribution - log_distribution)).sum(-1)
