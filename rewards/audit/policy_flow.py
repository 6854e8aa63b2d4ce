from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emocal_rl.rewards.audit.landscape import Array

Gradient = Callable[[Array, Array], Array]
"""(policies (L, P), success probabilities (P,)) -> gradient with respect to the logits (L, P)."""

_LARGEST_STEP = 0.25
_SMALLEST_STEP = 1e-3
_MOST_STEPS = 240
_SETTLED_MASS = 0.99
_NO_PUSH = 1e-7


@dataclass(frozen=True)
class FlowEnd:
    """Where the flow took each policy: `policy` (L, P), and whether it had settled when the steps ended."""

    policy: Array
    settled: npt.NDArray[np.bool_]


def follow(gradient: Gradient, start: Array, probability: Array) -> FlowEnd:
    """Follow the expected policy gradient of softmax policies until they settle.

    Every policy walks its own path with its own clock: a step moves its fastest logit by at most 0.25, half as far
    after the path turned back. It settles when 99 % of its mass is on one level, when nothing pushes it, or when its
    steps have become small.

    Args:
        gradient: of P policies at once.
        start: (L, P) policies; a level without mass never gains any.
        probability: (P,) success probabilities.
    """
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(start), -30.0)
    steps = np.full(start.shape[1], _LARGEST_STEP)
    direction = np.zeros_like(start)
    settled = np.zeros(start.shape[1], dtype=bool)
    for _ in range(_MOST_STEPS):
        moving = np.flatnonzero(~settled)
        policy = softmax(logits[:, moving])
        push = gradient(policy, probability[moving])
        strength = np.abs(push).max(axis=0)
        towards = push / np.maximum(strength, _NO_PUSH)
        turned = (towards * direction[:, moving]).sum(axis=0) < 0
        steps[moving] = np.where(turned, steps[moving] / 2, np.minimum(1.2 * steps[moving], _LARGEST_STEP))
        stays = (policy.max(axis=0) > _SETTLED_MASS) & ((push > _NO_PUSH).sum(axis=0) < 2)
        done = stays | (strength < _NO_PUSH) | (steps[moving] < _SMALLEST_STEP)
        settled[moving[done]] = True
        if settled.all():
            break
        logits[:, moving] += np.where(done, 0.0, steps[moving]) * towards
        direction[:, moving] = towards
    return FlowEnd(softmax(logits), settled)


def softmax(logits: Array) -> Array:
    """Return the policies of logits (L, P)."""
    weights = np.exp(logits - logits.max(axis=0))
    policy: Array = weights / weights.sum(axis=0)
    return policy
