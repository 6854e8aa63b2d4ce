import torch


def k2(logprobs: torch.Tensor, reference_logprobs: torch.Tensor) -> torch.Tensor:
    """Per-token estimate of KL(policy || reference): half the squared difference of the log-probs.

    Non-negative, biased, of low variance; as a loss its expected gradient on-policy is that of the KL (Schulman,
    "Approximating KL divergence", k2).

    Args:
        logprobs: (N,) under the policy that is trained.
        reference_logprobs: (N,) under the frozen policy.
    """
    return (logprobs - reference_logprobs).square() / 2
