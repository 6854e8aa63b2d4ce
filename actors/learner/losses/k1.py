import torch


def k1(logprobs: torch.Tensor, reference_logprobs: torch.Tensor) -> torch.Tensor:
    """Per-token estimate of KL(policy || reference): log policy - log reference.

    Unbiased for on-policy samples, of either sign, and of high variance (Schulman, "Approximating KL divergence", k1).
    As a penalty of the reward it is the classic one. As a loss its expected gradient on-policy is 0.

    Args:
        logprobs: (N,) under the policy that is trained.
        reference_logprobs: (N,) under the frozen policy.
    """
    return logprobs - reference_logprobs
