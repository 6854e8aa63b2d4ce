from typing import Literal

import torch

from emocal_rl.platform.contracts import LossDenominators

Aggregation = Literal["seq-mean-token-mean", "token-mean"]


def token_weights(lengths: torch.Tensor, denominators: LossDenominators, aggregation: Aggregation) -> torch.Tensor:
    """Weight of every response token, so that a loss is the plain sum of `weight * token loss` over all micro-batches.

    The denominators are global (over the mini-batch, all ranks and micro-batches), so any sharding gives the same sum.
    `seq-mean-token-mean` is paper equation 5: mean over a response's tokens, then over responses; `token-mean` is the
    released code: mean over all tokens.

    Args:
        lengths: (B,) response lengths in tokens.
        denominators: counts of unmasked responses and of their tokens.
        aggregation: how token losses become one number.

    Returns:
        (N,) float32 with N = sum of `lengths`, response after response.
    """
    if aggregation == "token-mean":
        return torch.full((int(lengths.sum()),), 1.0 / denominators.num_tokens, device=lengths.device)
    return (1.0 / (lengths.float() * denominators.num_responses)).repeat_interleave(lengths)
