"""Metrics under the known probabilities: what the sampled-label ones estimate, without the noise of the labels."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.benchmarks.vecbench.judgement import judge
from emocal_rl.benchmarks.vecbench.metrics import brier_score, expected_calibration_error, roc_auc
from emocal_rl.platform.data.vecbench import Prediction

Metrics = dict[str, float | None]
"""accuracy, ece, brier, auc and mean_confidence, as fractions; None where undefined."""


def expected_metrics(predictions: Sequence[Prediction], oracle: Oracle, *, num_bins: int = 10) -> Metrics:
    """Score predictions with the probability that each answer is right in place of the label that was drawn.

    Accuracy is over all predictions, an unreadable or failed one having probability 0; the calibration metrics are over
    those with a valid confidence.

    Raises:
        KeyError: a prediction is not of the oracle's world.
    """
    judged = [judge(prediction) for prediction in predictions]
    probabilities = np.array(
        [oracle.probability(prediction.id, entry.answer) for prediction, entry in zip(predictions, judged, strict=True)]
    )
    stated = np.array([entry.confidence is not None for entry in judged], dtype=bool)
    confidence = np.array([entry.confidence for entry in judged if entry.confidence is not None])
    return {**_metrics(confidence, probabilities[stated], num_bins), "accuracy": float(probabilities.mean())}


def oracle_metrics(oracle: Oracle, sample_ids: Iterable[str], *, num_bins: int = 10) -> Metrics:
    """Score the Bayes answer with its exact confidence: the best that can be done on these samples."""
    best = np.array([oracle.bayes_answer(sample_id)[1] for sample_id in sample_ids])
    return _metrics(best, best, num_bins)


def _metrics(confidence: npt.NDArray[np.float64], probability: npt.NDArray[np.float64], num_bins: int) -> Metrics:
    if not len(confidence):
        return dict.fromkeys(("accuracy", "ece", "brier", "auc", "mean_confidence"))
    return {
        "accuracy": float(probability.mean()),
        "ece": expected_calibration_error(confidence, probability, num_bins=num_bins),
        "brier": brier_score(confidence, probability),
        "auc": roc_auc(confidence, probability),
        "mean_confidence": float(confidence.mean()),
    }
