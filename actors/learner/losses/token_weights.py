from typing import Literal

import torch

from emocal_rl.actors.learner.losses.seq_mean_token_mean import seq_mean_token_mean
from emocal_rl.actors.learner.losses.seq_mean_token_sum_norm import seq_mean_token_sum_norm
from emocal_rl.actors.learner.losses.token_mean import token_mean
from emocal_rl.platform.contracts import LossDenominators

Aggregation = Literal["seq-mean-token-mean", "token-mean", "seq-mean-token-sum-norm"]


def token_weights(
    lengths: torch.Tensor, denominators: LossDenominators, aggregation: Aggregation, max_tokens: int
) -> torch.Tensor:
    """Weight of every response token, so that a loss is the plain sum of `weight * token loss` over all micro-batches.

    The denominators are global (over the mini-batch, all ranks and micro-batches), so any sharding gives the same sum.

    Args:
        lengths: (B,) response lengths in tokens.
        denominators: counts of unmasked responses and of their tokens.
        aggregation: how token losses become one number.
        max_tokens: the longest a response may get; `seq-mean-token-sum-norm` divides by it.

    Returns:
        (N,) float32 with N = sum of `lengths`, response after response.
    """
    if aggregation == "token-mean":
        return token_mean(lengths, denominators)
    if aggregation == "seq-mean-token-sum-norm":
        return seq_mean_token_sum_norm(lengths, denominators, max_tokens)
    return seq_mean_token_mean(lengths, denominators)
