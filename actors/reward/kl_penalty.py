from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from emocal_rl.platform.config.reward import LossConfig
from emocal_rl.platform.contracts import Response, RewardedResponse


def with_kl_penalty(
    rewarded: Sequence[RewardedResponse],
    responses: Sequence[Response],
    reference_logprobs: Sequence[npt.NDArray[np.float32]],
    config: LossConfig,
) -> tuple[RewardedResponse, ...]:
    """Give every response a term `kl`: minus the coefficient times the KL to the reference, summed over its tokens.

    The sum is the estimate for the whole response. It is taken under the policy that sampled: a constant, as a reward
    has to be. Masked responses stay as they are.

    Args:
        rewarded: the rewards so far.
        responses: the responses, with the log-probs they were sampled under.
        reference_logprobs: (T,) per response under the frozen policy.
        config: estimator and coefficient.
    """
    import torch

    from emocal_rl.actors.learner.losses.kl import KL_ESTIMATORS

    estimator = KL_ESTIMATORS[config.kl_estimator]
    penalized = []
    for earned, response, reference in zip(rewarded, responses, reference_logprobs, strict=True):
        if earned.masked is not None:
            penalized.append(earned)
            continue
        sampled = torch.tensor(response.logprobs, dtype=torch.float64)
        penalty = config.kl_coefficient * float(estimator(sampled, torch.tensor(reference, dtype=torch.float64)).sum())
        terms, total = {**earned.terms, "kl": -penalty}, earned.total - penalty
        masked = None if np.isfinite(total) else "non-finite"
        penalized.append(replace(earned, terms=terms, total=total, masked=masked))
    return tuple(penalized)
