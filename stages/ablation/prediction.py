"""What the audit says a cell will do to stated confidence, before the cell is run; and whether it did."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from emocal_rl.benchmarks.statistics.seed_interval import seed_interval
from emocal_rl.platform.config.tree import Config
from emocal_rl.rewards.audit.estimator_effect import PROBABILITIES, EstimatorEffect, Levels, audit_estimators
from emocal_rl.rewards.audit.landscape import Landscape
from emocal_rl.rewards.audit.verdicts import normalizes_confidence

Direction = Literal["up", "down", "steady"]
STEADY = 0.02
"""A change of mean confidence below this is none."""
_NUM_LEVELS = 11


@dataclass(frozen=True)
class Prediction:
    """Mean stated confidence of the cold start, and where the expected gradient takes it.

    `by_probability`: where it takes an answer that is right with probability 0.1 ... 0.9, under the correctness that
    the audit judges by (`shared` within a group for normalised advantages); `independent`: `end` under the other one.
    """

    start: float
    end: float
    direction: Direction
    verdict: str
    by_probability: tuple[float, ...]
    independent: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Agreement:
    """What a cell did to mean stated confidence, seed by seed, beside its prediction.

    `agrees` is None while nothing was measured; `reason` says why it does not agree, or that no reason was found.
    """

    measured: tuple[float, ...]
    direction: Direction | None
    agrees: bool | None
    reason: str


def predict(config: Config, starts: Sequence[Mapping[str, Any]]) -> Prediction | None:
    """Follow the configured estimator from the cold start's own confidences.

    The cold start's reliability diagram says how often its answers are right: each bin moves as an answer of that
    success probability does. None where it states no confidence at all.

    Args:
        config: of the cell.
        starts: evaluations (`eval/NAME.json`) of the cold start as sampled, one for each seed.

    Raises:
        RewardError: a rule raises on a plain response.
    """
    scopes = [start.get("in_domain") or start for start in starts]
    histogram = np.sum([scope["histogram"] for scope in scopes], axis=0).tolist()
    if not any(histogram):
        return None
    landscape, settings = Landscape.of(config.reward), config.calibration
    effects = audit_estimators(
        landscape,
        _NUM_LEVELS,
        settings.group_size,
        config.advantage.epsilon,
        {"uniform": None, "cold start": histogram},
    )
    normalizes = normalizes_confidence(config.reward, config.advantage)
    found = {effect.correctness: effect for effect in effects if effect.start == "cold start"}
    effect = found["shared" if normalizes else "any"]
    start, probabilities, shares = _reliability(scopes)
    end = _mean_end(effect, probabilities, shares)
    # The flow knows eleven confidences: which way it goes is told from where it began on them.
    levels = Levels.of(landscape, _NUM_LEVELS)
    change = end - float(levels.confidences @ levels.spread(histogram))
    return Prediction(
        start=start,
        end=end,
        direction=direction_of(change),
        verdict=effect.verdict,
        by_probability=tuple(round(float(mean), 4) for mean in effect.mean),
        independent=_mean_end(found["independent"], probabilities, shares) if normalizes else None,
    )


def direction_of(change: float) -> Direction:
    """Name a change of mean confidence."""
    return "steady" if abs(change) < STEADY else "up" if change > 0 else "down"


def agree(prediction: Prediction, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Agreement:
    """Hold a prediction against the evaluations before and after, one pair for each seed.

    Reasons are looked for in this order: the seeds do not agree among themselves; answers of a group were independent;
    accuracy moved, and with it what is honest, so that the prediction is another, or holds for the distance of
    confidence from accuracy.
    """
    firsts, lasts = ([_mean_confidence(each) for each in side] for side in (before, after))
    changes = tuple(
        last - first for first, last in zip(firsts, lasts, strict=True) if first is not None and last is not None
    )
    if not changes:
        return Agreement((), None, None, "no run of the cell is finished")
    change = float(np.mean(changes))
    measured = direction_of(change)
    if measured == prediction.direction:
        return Agreement(changes, measured, agrees=True, reason="")
    return Agreement(changes, measured, agrees=False, reason=_reason(prediction, changes, measured, before, after))


def _reason(
    prediction: Prediction,
    changes: Sequence[float],
    measured: Direction,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
) -> str:
    change, interval = float(np.mean(changes)), seed_interval(changes)
    predicted = prediction.end - prediction.start
    if interval is not None and interval[0] <= predicted <= interval[1]:
        return f"the seeds differ: the predicted change of {predicted:+.2f} lies within their 95 % interval"
    if measured == "steady" and change * predicted > 0:
        return f"it moved that way, but by {change:+.3f} only in these steps"
    if prediction.independent is not None and direction_of(prediction.independent - prediction.start) == measured:
        return (
            "the audit judges by answers that a whole group shares; for independent ones it predicts "
            f"{prediction.independent:.2f}, which agrees: groups were mixed"
        )
    start, end = (_reliability([each.get("in_domain") or each for each in side]) for side in (before, after))
    _, probabilities, shares = end
    moved = float(np.interp(probabilities, PROBABILITIES, prediction.by_probability) @ shares)
    if direction_of(moved - prediction.start) == measured:
        return f"accuracy changed: for answers as right as they became it predicts {moved:.2f}, which agrees"
    ahead_before, ahead_after = (mean - float(accuracy @ shares) for mean, accuracy, shares in (start, end))
    if direction_of(ahead_after - ahead_before) == prediction.direction:
        moves = f"from {ahead_before:+.2f} to {ahead_after:+.2f}"
        return f"accuracy changed: against it confidence moved as predicted, {moves}"
    return "no reason found: neither the seeds, nor mixed groups, nor the change of accuracy explain it"


def _reliability(scopes: Sequence[Mapping[str, Any]]) -> tuple[float, np.ndarray, np.ndarray]:
    """Return mean confidence, and accuracy and share of each filled bin."""
    bins = [row for scope in scopes for row in scope["reliability"] if row["count"]]
    counts = np.array([row["count"] for row in bins], dtype=float)
    shares = counts / counts.sum()
    confidence, accuracy = (np.array([row[name] for row in bins]) for name in ("mean_confidence", "accuracy"))
    return float(confidence @ shares), accuracy, shares


def _mean_end(effect: EstimatorEffect, probabilities: np.ndarray, shares: np.ndarray) -> float:
    return float(np.interp(probabilities, PROBABILITIES, effect.mean) @ shares)


def _mean_confidence(evaluation: Mapping[str, Any]) -> float | None:
    value: float | None = (evaluation.get("in_domain") or evaluation)["overall"]["mean_confidence"]
    return value


def read_prediction(values: Mapping[str, Any] | None) -> Prediction | None:
    """Return what `to_dict` wrote; None where there is none."""
    if values is None:
        return None
    read = Prediction(**values)
    return replace(read, by_probability=tuple(read.by_probability))
