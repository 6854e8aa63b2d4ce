"""What one step's rollouts say about format, accuracy and calibration."""

from collections.abc import Sequence

import numpy as np

from emocal_rl.benchmarks.vecbench.metrics import brier_score, expected_calibration_error, roc_auc
from emocal_rl.platform.contracts import ScoredGroup


def rollout_statistics(groups: Sequence[ScoredGroup], *, num_bins: int) -> dict[str, float | None]:
    """Summarise scored groups for `metrics.jsonl`.

    Masked responses leave every figure but their own count. Calibration figures are over responses with a valid
    confidence; None where a figure is undefined.
    """
    responses = [response for group in groups for response in group.rewarded]
    kept = [response for response in responses if response.masked is None]
    stated = [response for response in kept if response.confidence is not None]
    confidence = np.array([response.confidence for response in stated], dtype=np.float64)
    correct = np.array([response.correct for response in stated], dtype=np.float64)
    lengths = [length for group in groups for length in group.num_tokens]
    finish = [reason for group in groups for reason in group.finish_reasons]
    names = sorted({name for response in kept for name in response.terms})
    return {
        "reward/total": _mean([response.total for response in kept]),
        **{f"reward/{name}": _mean([response.terms.get(name, 0.0) for response in kept]) for name in names},
        "advantage/zero_variance_share": _mean([group.zero_variance for group in groups]),
        "rollout/accuracy": _mean([response.correct for response in kept]),
        "rollout/mean_confidence": _mean(confidence),
        "rollout/ece": expected_calibration_error(confidence, correct, num_bins=num_bins) if stated else None,
        "rollout/brier": brier_score(confidence, correct) if stated else None,
        "rollout/auc": roc_auc(confidence, correct) if stated else None,
        "rollout/share_above_0.9": _mean(confidence > 0.9),
        "rollout/valid_confidence_share": len(stated) / len(kept) if kept else None,
        "rollout/well_formed_share": _mean([response.well_formed for response in kept]),
        "rollout/response_tokens": _mean(lengths),
        "rollout/truncated_share": _mean([reason == "length" for reason in finish]),
        "rollout/masked": float(len(responses) - len(kept)),
    }


def _mean(values: Sequence[float] | np.ndarray) -> float | None:
    return float(np.mean(values)) if len(values) else None
