"""Do learner and rollout engine hold the same policy? The only proof is equal log-probs for the same tokens."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from emocal_rl.actors.learner.group import LearnerGroup
from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.platform.contracts import RolloutRequest
from emocal_rl.platform.errors import ParityError

_MEAN_IN_16_BIT, _HIGH_IN_16_BIT = 1200.0, 4000.0
"""Limits of mean and 99 % quantile in 16 bit, in units of the tolerance: 0.12 and 0.4 by default; see `judge`."""


def check_parity(
    rollouts: RolloutPool,
    learner: LearnerGroup,
    requests: Sequence[RolloutRequest],
    *,
    tolerance: float,
    in_16_bit: bool,
) -> str:
    """Sample `requests` freshly, let the learner score the same tokens, and return what `judge` found.

    Raises:
        ParityError: the engine does not run the learner's weights.
    """
    import ray

    groups: list[Any] = [ref for _, ref in rollouts.stream(requests)]
    differences = [
        np.abs(response.logprobs - logprobs)
        for group, learned in zip(ray.get(groups), learner.logprobs(groups), strict=True)
        for response, logprobs in zip(group.responses, learned, strict=True)
    ]
    try:
        return judge(np.concatenate(differences), tolerance=tolerance, in_16_bit=in_16_bit)
    except ParityError as error:
        raise ParityError(
            f"after syncing weight version {learner.weight_version}, learner and rollout engine differ in the "
            f"log-probs of sampled tokens: {error}. The engine does not run the learner's weights, and training on its "
            "samples would be off-policy"
        ) from None


def judge(differences: npt.NDArray[np.floating[Any]], *, tolerance: float, in_16_bit: bool) -> str:
    """Say how far apart the log-probs are, or refuse.

    In float32 the largest difference counts: engines agree to 1e-6. In 16 bit it says nothing, for logits between 16
    and 32 are 0.125 apart in bfloat16, and some token is always unlucky. Mean and 99 % quantile are judged there, by
    limits about half way between noise and other weights. Measured with bfloat16 rounding emulated in NumPy,
    on a random transformer of 28 layers whose logits have a standard deviation of 5 (a trained one should be quieter):

    - the same weights, attention or matrix products computed in another way: mean 0.08, quantile 0.26, largest 0.44;
    - all weights off by 1 % of their size: mean 0.16, quantile 0.64; a single layer of them: 0.09, 0.32, as the noise.

    So it finds weights that are misnamed, mispacked, or have long stood still. One step of 1e-6 moves a weight by less
    than bfloat16 can show: nothing could find an engine that missed just that.

    Args:
        differences: absolute differences of the tokens' log-probs, at least one.
        tolerance: `weight_transfer.parity_tolerance`.
        in_16_bit: whether weights are.

    Raises:
        ParityError: a figure exceeds its limit, or is not a number.
    """
    if in_16_bit:
        found = {"mean": float(differences.mean()), "99 % quantile": float(np.quantile(differences, 0.99))}
        limits = [_MEAN_IN_16_BIT * tolerance, _HIGH_IN_16_BIT * tolerance]
    else:
        found, limits = {"largest": float(differences.max())}, [tolerance]
    said = ", ".join(f"{name} {value:.1e}" for name, value in found.items())
    if not all(value <= limit for value, limit in zip(found.values(), limits, strict=True)):
        allowed = " and ".join(f"{limit:g}" for limit in limits)
        raise ParityError(f"{said}; weight_transfer.parity_tolerance = {tolerance:g} allows {allowed}")
    return said
