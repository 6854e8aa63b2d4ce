from collections.abc import Mapping

import numpy as np

from emocal_rl.benchmarks.statistics.brier_decomposition import brier_decomposition
from emocal_rl.benchmarks.statistics.calibration_error import equal_width
from emocal_rl.benchmarks.vecbench.metrics import brier_score, expected_calibration_error
from emocal_rl.stages.watch.response_columns import FloatArray, ResponseColumns


def calibration_by_task(columns: ResponseColumns, *, num_bins: int) -> dict[str, float | None]:
    """Calibration of each task as `rollout/<task>/...`, and the parts of the Brier score over all tasks.

    Accuracy is over all responses, the rest over those with a valid confidence, None where there are none.
    """
    stated, tasks = ~np.isnan(columns.confidence), np.array(columns.task)
    values: dict[str, float | None] = {}
    for task in sorted(set(columns.task)):
        of_task = tasks == task
        found = _calibration(columns.confidence[of_task & stated], columns.correct[of_task & stated], num_bins)
        values[f"rollout/{task}/accuracy"] = float(columns.correct[of_task].mean())
        values |= {f"rollout/{task}/{name}": value for name, value in found.items()}
    parts = _brier_parts(columns.confidence[stated], columns.correct[stated], num_bins)
    return values | {f"rollout/{name}": value for name, value in parts.items()}


def _calibration(confidence: FloatArray, correct: FloatArray, num_bins: int) -> Mapping[str, float | None]:
    parts = _brier_parts(confidence, correct, num_bins)
    if not len(confidence):
        return {**dict.fromkeys(("mean_confidence", "ece", "brier", "auc")), **parts}
    return {
        "mean_confidence": float(confidence.mean()),
        "ece": expected_calibration_error(confidence, correct, num_bins=num_bins),
        "brier": brier_score(confidence, correct),
        "auc": _auc(confidence, correct),
        **parts,
    }


def _brier_parts(confidence: FloatArray, correct: FloatArray, num_bins: int) -> dict[str, float | None]:
    """Brier = reliability - resolution + uncertainty, exactly; None each where there are no responses."""
    if not len(confidence):
        return dict.fromkeys(("brier_reliability", "brier_resolution", "brier_uncertainty"))
    parts = brier_decomposition(confidence, correct, equal_width(confidence, correct, num_bins))
    return {
        "brier_reliability": parts.reliability,
        "brier_resolution": parts.generalized_resolution,
        "brier_uncertainty": parts.uncertainty,
    }


def _auc(confidence: FloatArray, correct: FloatArray) -> float | None:
    """Area under the ROC curve, pair by pair: for so few responses a hundredth of scikit-learn's time (measured)."""
    right, wrong = confidence[correct == 1][:, None], confidence[correct == 0]
    return float(np.mean((right > wrong) + 0.5 * (right == wrong))) if right.size and wrong.size else None
