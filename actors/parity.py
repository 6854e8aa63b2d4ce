"""Do learner and rollout engine hold the same policy? The only proof is equal log-probs for the same tokens."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from emocal_rl.actors.learner.group import LearnerGroup
from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.platform.contracts import RolloutRequest
from emocal_rl.platform.errors import ParityError


def check_parity(
    rollouts: RolloutPool, learner: LearnerGroup, requests: Sequence[RolloutRequest], *, tolerance: float
) -> float:
    """Sample `requests` freshly and let the learner score the same tokens.

    Returns:
        The largest absolute difference of a token's log-prob.

    Raises:
        ParityError: the difference exceeds `tolerance`: the engine does not run the learner's weights.
    """
    import ray

    groups: list[Any] = [ref for _, ref in rollouts.stream(requests)]
    largest = 0.0
    for group, learned in zip(ray.get(groups), learner.logprobs(groups), strict=True):
        for response, logprobs in zip(group.responses, learned, strict=True):
            largest = max(largest, float(np.abs(response.logprobs - logprobs).max(initial=0.0)))
    if not largest <= tolerance:
        allowed = f"weight_transfer.parity_tolerance allows {tolerance:.0e}"
        raise ParityError(
            f"after syncing weight version {learner.weight_version}, learner and rollout engine differ by "
            f"{largest:.1e} in the log-prob of a sampled token ({allowed}): the engine does not run the learner's "
            "weights, and training on its samples would be off-policy"
        )
    return largest
