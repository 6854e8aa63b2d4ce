"""Accuracy and calibration of answers that are right or wrong, for the tables of a `SuiteReport`."""

from collections.abc import Sequence

import numpy as np

from emocal_rl.benchmarks.vecbench.judgement import INFERENCE_ERROR, Judgement
from emocal_rl.benchmarks.vecbench.outcomes import collect
from emocal_rl.benchmarks.vecbench.strict import strict_report
from emocal_rl.platform.responses.grammar import read_answer


def judged(task: str, label: str, answer: str | None, response: str | None) -> Judgement:
    """Return an answer that was read from a response, with the confidence that it states; see `judge`."""
    if response is None:
        return Judgement(task, label, None, None, INFERENCE_ERROR)
    _, confidence, problem = read_answer(response)
    return Judgement(task, label, answer, confidence, problem)


def metrics_row(judgements: Sequence[Judgement], num_bins: int) -> dict[str, float | None]:
    """Return accuracy over all answers, and ECE, Brier, AUC and mean confidence over those that state a confidence.

    `unread`: share without a readable answer; they count as wrong. `coverage`: share that states a confidence.
    """
    row = strict_report(collect(judgements), num_bins).overall
    return {
        "accuracy": row.accuracy,
        "unread": float(np.mean([judgement.answer is None for judgement in judgements])),
        "ece": row.ece,
        "brier": row.brier,
        "auc": row.auc,
        "mean_confidence": row.mean_confidence,
        "coverage": row.coverage,
        "num_samples": row.num_samples,
    }
