import torch

from emocal_rl.platform.contracts import LossDenominators


def token_mean(lengths: torch.Tensor, denominators: LossDenominators) -> torch.Tensor:
    """Mean over all tokens (the released code): every token weighs alike. (B,) lengths -> (N,) weights."""
    return torch.full((int(lengths.sum()),), 1.0 / denominators.num_tokens, device=lengths.device)
