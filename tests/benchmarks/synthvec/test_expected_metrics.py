import polars as pl
import pytest

from emocal_rl.benchmarks.synthvec.expected_metrics import expected_metrics, oracle_metrics
from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.platform.data.vecbench import Prediction

LABELS = ("positive", "negative")
ORACLE = Oracle(pl.DataFrame({"id": ["a", "b"], "labels": [LABELS, LABELS], "probabilities": [[0.9, 0.1], [0.4, 0.6]]}))


def _prediction(sample_id, response):
    return Prediction(sample_id, ("a.png",), "?", LABELS, "negative", "SynthFI-2", response=response)


def _answer(label, confidence):
    return f"<answer>{label}</answer><confidence>{confidence}</confidence>"


def test_expected_metrics_use_the_known_probability_not_the_label():
    predictions = [_prediction("a", _answer("positive", 0.8)), _prediction("b", _answer("positive", 0.5))]
    metrics = expected_metrics(predictions, ORACLE)
    assert metrics["accuracy"] == pytest.approx((0.9 + 0.4) / 2)
    assert metrics["brier"] == pytest.approx((0.9 * 0.04 + 0.1 * 0.64 + 0.25) / 2)
    assert metrics["ece"] == pytest.approx((0.1 + 0.1) / 2)
    assert metrics["mean_confidence"] == pytest.approx(0.65)
    assert metrics["auc"] == pytest.approx((0.9 * 0.6 + 0.5 * (0.9 * 0.1 + 0.4 * 0.6)) / (1.3 * 0.7))


def test_what_cannot_be_read_is_wrong_and_states_nothing():
    predictions = [_prediction("a", _answer("positive", 0.9)), _prediction("b", "I cannot tell.")]
    metrics = expected_metrics(predictions, ORACLE)
    assert metrics["accuracy"] == pytest.approx(0.45)
    assert metrics["ece"] == pytest.approx(0.0)
    silent = expected_metrics(predictions[1:], ORACLE)
    assert silent == {"accuracy": 0.0, "ece": None, "brier": None, "auc": None, "mean_confidence": None}


def test_the_oracle_is_calibrated():
    metrics = oracle_metrics(ORACLE, ["a", "b"])
    assert metrics["accuracy"] == metrics["mean_confidence"] == pytest.approx(0.75)
    assert metrics["ece"] == 0.0
    assert metrics["brier"] == pytest.approx((0.9 * 0.1 + 0.6 * 0.4) / 2)
