import torch

from emocal_rl.platform.contracts import LossDenominators


def seq_mean_token_mean(lengths: torch.Tensor, denominators: LossDenominators) -> torch.Tensor:
    """Mean over a response's tokens, then over responses (paper equation 5): every response weighs alike.

    (B,) lengths -> (N,) weights.
    """
    return (1.0 / (lengths.float() * denominators.num_responses)).repeat_interleave(lengths)
