from collections.abc import Mapping

import numpy as np

from emocal_rl.rewards.advantages.group_normalized import group_normalized
from emocal_rl.rewards.advantages.per_term import per_term
from emocal_rl.rewards.advantages.raw import raw
from emocal_rl.stages.watch.response_columns import FloatArray, ResponseColumns

_EPSILON = 1e-6
_LEVELS = np.arange(1, 10) / 10
"""Edges between the ten levels of confidence."""


def advantage_makeup(columns: ResponseColumns, weights: Mapping[str, float]) -> dict[str, float | None]:
    """What the advantages of a step are made of, and what normalising would make of them, on the same responses.

    `advantage/variance_share/<term>`: the covariance of a reward term with the total within the groups, by the total's
    variance; the shares sum to 1, and one below 0 pulls against the rest.

    `advantage/confidence_flip_share`: share of responses at a level of confidence (tenths) whose mean advantage has one
    sign raw and the other normalised by group: the level is encouraged by the one and discouraged by the other.
    Dividing a group by its standard deviation leaves every single sign as it is but gives groups another say.
    Normalising term by term changes single signs as well: `advantage/sign_flip_share`, of all responses.

    None where no group has unequal rewards.

    Args:
        columns: the step's responses.
        weights: weight of each reward term, 1 where it has none.
    """
    terms = {name: columns.by_group(values) for name, values in columns.terms.items()}
    totals = columns.by_group(columns.total)
    plain = _join([raw(total) for total in totals])
    names = [f"advantage/variance_share/{name}" for name in terms]
    flips = ("advantage/sign_flip_share", "advantage/confidence_flip_share")
    variance = float(plain @ plain)
    if variance == 0.0:
        return dict.fromkeys([*names, *flips])
    by_size = [{name: blocks[index] for name, blocks in terms.items()} for index in range(len(totals))]
    by_term = _join([per_term(block, weights, epsilon=_EPSILON) for block in by_size])
    normalized = _join([group_normalized(raw(total), total, epsilon=_EPSILON) for total in totals])
    confidence = _join(columns.by_group(columns.confidence))
    shares = [float(_join([raw(block) for block in blocks]) @ plain) / variance for blocks in terms.values()]
    return {
        **dict(zip(names, shares, strict=True)),
        "advantage/sign_flip_share": float(np.mean(plain * by_term < 0)),
        "advantage/confidence_flip_share": _flipped_levels(confidence, plain, normalized),
    }


def _flipped_levels(confidence: FloatArray, plain: FloatArray, normalized: FloatArray) -> float | None:
    stated = ~np.isnan(confidence)
    if not stated.any():
        return None
    level = np.searchsorted(_LEVELS, confidence[stated], side="right")
    pushes = [np.bincount(level, values[stated], len(_LEVELS) + 1) for values in (plain, normalized)]
    return float(np.mean((pushes[0] * pushes[1] < 0)[level]))


def _join(blocks: list[FloatArray]) -> FloatArray:
    return np.concatenate([block.ravel() for block in blocks]) if blocks else np.zeros(0)
