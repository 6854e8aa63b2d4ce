import torch

from emocal_rl.platform.contracts import LossDenominators


def seq_mean_token_sum_norm(lengths: torch.Tensor, denominators: LossDenominators, max_tokens: int) -> torch.Tensor:
    """Sum over a response's tokens by a constant, then mean over responses: (B,) lengths -> (N,) weights.

    The constant is the longest a response may get, so that a weight depends neither on the response's length nor on
    which others share its batch (Dr. GRPO, Liu et al. 2025, arXiv 2503.20783).
    """
    weight = 1.0 / (max_tokens * denominators.num_responses)
    return torch.full((int(lengths.sum()),), weight, device=lengths.device)
