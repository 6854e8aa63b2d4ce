import torch


def forward_kl(log_distribution: torch.Tensor, frozen_log_distribution: torch.Tensor) -> torch.Tensor:
    """Per-token KL(frozen || policy) over the whole vocabulary: (N, V), (N, V) -> (N,).

    Keeps a small model's other tokens in place while stage 2 trains the confidence tokens alone.
    """
    frozen = frozen_log_distribution.exp()
    return (frozen * (frozen_log_distribution - log_distribution)).sum(-1)
