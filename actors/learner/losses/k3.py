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
