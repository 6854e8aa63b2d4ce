from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from emocal_rl.benchmarks.recalibration.cross_fitting import cross_fit
from emocal_rl.benchmarks.recalibration.methods import METHODS
from emocal_rl.benchmarks.vecbench.outcomes import BoolArray, FloatArray, Outcomes
from emocal_rl.benchmarks.vecbench.strict import ProtocolReport, strict_report
from emocal_rl.benchmarks.vecbench.tasks import group_of_task
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.responses.grammar import confidence_span

SCOPES = ("overall", "group", "task")
"""What one fit is over. A task outside the groups is one of its own."""

DECIMALS = 6
"""Recalibrated confidences are rounded to what a response says."""


@dataclass(frozen=True, slots=True, eq=False)
class Recalibration:
    """One method's confidences, (n,), NaN where none was stated, and how they score under `strict`."""

    method: str
    confidence: FloatArray
    report: ProtocolReport


def recalibrate(
    outcomes: Outcomes,
    methods: Sequence[str] = tuple(METHODS),
    *,
    fit_per: str = "overall",
    num_folds: int = 5,
    num_bins: int = 10,
    seed: int = 0,
) -> list[Recalibration]:
    """Recalibrate the stated confidences by each method, cross-fitted; the first of the results is what was stated.

    Args:
        outcomes: as read by `strict`.
        methods: names in `METHODS`.
        fit_per: one of `SCOPES`.
        num_folds: at least 2; each is evenly made up of the tasks.
        num_bins: of the reports' ECE.
        seed: of the folds.

    Raises:
        DataError: a part has fewer stated confidences than folds.
    """
    parts = [rows for rows in _parts(outcomes, fit_per) if _checked(outcomes, rows, num_folds)]
    found = [Recalibration("stated", outcomes.confidence, strict_report(outcomes, num_bins))]
    for method in methods:
        confidence = outcomes.confidence.copy()
        for rows in parts:
            right = outcomes.correct[rows].astype(np.float64)
            fitted = cross_fit(
                METHODS[method], confidence[rows], right, outcomes.task[rows], num_folds=num_folds, seed=seed
            )
            confidence[rows] = fitted.round(DECIMALS)
        report = strict_report(replace(outcomes, confidence=confidence), num_bins)
        found.append(Recalibration(method, confidence, report))
    return found


def with_confidence(prediction: Prediction, confidence: float) -> Prediction:
    """Return the prediction with another confidence in its response; unchanged where that states none (NaN)."""
    if np.isnan(confidence) or prediction.response is None:
        return prediction
    span = confidence_span(prediction.response)
    assert span is not None  # a valid confidence has been read there
    before, after = prediction.response[: span[0]], prediction.response[span[1] :]
    stated = f"<confidence>{confidence:.{DECIMALS}f}</confidence>"
    return replace(prediction, response=f"{before}{stated}{after}")


def _parts(outcomes: Outcomes, fit_per: str) -> list[BoolArray]:
    """Return the rows with a stated confidence that belong to each fit."""
    of_task = {
        "overall": ["overall"] * len(outcomes.tasks),
        "group": [group_of_task(task) or task for task in outcomes.tasks],
        "task": list(outcomes.tasks),
    }[fit_per]
    part = np.array(of_task)[outcomes.task]
    return [outcomes.stated & (part == name) for name in sorted(set(of_task))]


def _checked(outcomes: Outcomes, rows: BoolArray, num_folds: int) -> bool:
    """Say whether there is anything to fit, and refuse too little of it."""
    count = int(rows.sum())
    if 0 < count < num_folds:
        tasks = ", ".join(sorted({outcomes.tasks[code] for code in outcomes.task[rows]}))
        rule = f"states {count} valid confidence(s), which do not fill {num_folds} folds"
        raise DataError(tasks, rule=rule, fix="Use fewer folds, or fit over more tasks.")
    return count > 0
