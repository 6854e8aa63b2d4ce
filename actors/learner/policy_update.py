from collections.abc import Sequence

import torch

from emocal_rl.actors.learner.examples import PolicyExample
from emocal_rl.actors.learner.losses.grpo import policy_loss
from emocal_rl.actors.learner.losses.kl import k3
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
    totals: Totals,
) -> torch.Tensor:
    """A micro-batch's share of paper equation 5: clipped surrogate plus KL to the reference, weighed token by token.

    Args:
        logprobs: (N,) log-probs of the examples' response tokens, one response after the other.
        examples: B responses with N tokens.
        denominators: of the whole mini-batch.
        config: clip, KL and aggregation.
        totals: receives `SUMS` and `MAXIMA`; all but the maximum are means under the token weights.
    """
    device = logprobs.device
    lengths = torch.tensor([len(example.sequence.response_ids) for example in examples], device=device)
    advantages = torch.tensor([example.advantage for example in examples], device=device).repeat_interleave(lengths)
    old = torch.cat([example.old_logprobs for example in examples]).to(device)
    sampled = torch.cat([example.sampled_logprobs for example in examples]).to(device)
    weights = token_weights(lengths, denominators, config.aggregation)

    surrogate = policy_loss(logprobs, old, advantages, weights, config.clip_ratio)
    kl = torch.zeros((), device=device)
    if config.kl_coefficient > 0:
        reference = [example.reference_logprobs for example in examples]
        kl = (k3(logprobs, torch.cat(reference).to(device)) * weights).sum()  # type: ignore[arg-type]
    loss = surrogate.loss + config.kl_coefficient * kl

    mismatch = (logprobs.detach() - sampled).abs()
    totals.add(
        loss=loss,
        policy=surrogate.loss,
        kl=kl,
        clip_share=(surrogate.clipped * weights).sum(),
        ratio_mean=(surrogate.ratio * weights).sum(),
        logprob_mismatch_mean=(mismatch * weights).sum(),
        logprob_mismatch=mismatch.max(),
    )
    return loss
