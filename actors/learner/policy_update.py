from collections.abc import Sequence

import torch

from emocal_rl.actors.learner.examples import PolicyExample
from emocal_rl.actors.learner.losses.grpo import policy_loss
from emocal_rl.actors.learner.losses.kl import KL_ESTIMATORS
from emocal_rl.actors.learner.losses.token_mean import token_mean
from emocal_rl.actors.learner.losses.token_weights import token_weights
from emocal_rl.actors.learner.totals import Totals
from emocal_rl.platform.config.reward import LossConfig
from emocal_rl.platform.contracts import LossDenominators

SUMS = ("loss", "policy", "kl", "clip_share", "ratio_mean", "logprob_mismatch_mean")
MAXIMA = ("logprob_mismatch",)


def policy_micro_batch_loss(
    logprobs: torch.Tensor,
    examples: Sequence[PolicyExample],
    denominators: LossDenominators,
    config: LossConfig,
    max_tokens: int,
    totals: Totals,
) -> torch.Tensor:
    """A micro-batch's share of paper equation 5: clipped surrogate plus KL to the reference, weighed token by token.

    Where the KL is a penalty of the reward, it is measured here but no part of the loss.

    Args:
        logprobs: (N,) log-probs of the examples' response tokens, one response after the other.
        examples: B responses with N tokens.
        denominators: of the whole mini-batch.
        config: clip, KL and aggregation.
        max_tokens: the longest a response may get.
        totals: receives `SUMS` and `MAXIMA`; all but losses and the maximum are means over tokens or responses, as
            the aggregation weighs them.
    """
    device = logprobs.device
    lengths = torch.tensor([len(example.sequence.response_ids) for example in examples], device=device)
    advantages = torch.cat([example.advantages for example in examples]).to(device)
    old = torch.cat([example.old_logprobs for example in examples]).to(device)
    sampled = torch.cat([example.sampled_logprobs for example in examples]).to(device)
    weights = token_weights(lengths, denominators, config.aggregation, max_tokens)

    # What is reported are means; the weights of a sum by a constant do not add up to 1.
    shares = token_mean(lengths, denominators) if config.aggregation == "seq-mean-token-sum-norm" else weights

    surrogate = policy_loss(logprobs, old, advantages, weights, config.clip_ratio, config.clip_ratio_high)
    loss, kl = surrogate.loss, torch.zeros_like(logprobs)
    if config.kl_coefficient > 0:
        reference = [example.reference_logprobs for example in examples]
        kl = KL_ESTIMATORS[config.kl_estimator](logprobs, torch.cat(reference).to(device))  # type: ignore[arg-type]
        if config.kl_placement == "loss":
            loss = loss + config.kl_coefficient * (kl * weights).sum()

    mismatch = (logprobs.detach() - sampled).abs()
    totals.add(
        loss=loss,
        policy=surrogate.loss,
        kl=(kl.detach() * shares).sum(),
        clip_share=(surrogate.clipped * shares).sum(),
        ratio_mean=(surrogate.ratio * shares).sum(),
        logprob_mismatch_mean=(mismatch * shares).sum(),
        logprob_mismatch=mismatch.max(),
    )
    return loss
