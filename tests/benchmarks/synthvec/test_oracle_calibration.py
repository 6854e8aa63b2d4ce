"""The oracle's own predictions through the strict protocol: honest confidences show only the ECE of chance."""

from dataclasses import replace

import numpy as np
import pytest

from emocal_rl.benchmarks.statistics.calibration_error import error_if_calibrated
from emocal_rl.benchmarks.synthvec.expected_metrics import expected_metrics
from emocal_rl.benchmarks.synthvec.oracle import load_oracle
from emocal_rl.benchmarks.vecbench.metrics import brier_score, expected_calibration_error
from emocal_rl.benchmarks.vecbench.strict import score_strict
from emocal_rl.platform.data.vecbench import Prediction, read_vecbench


@pytest.fixture(scope="module")
def oracle(small_world):
    return load_oracle(small_world.directory)


@pytest.fixture(scope="module")
def predictions(small_world, oracle):
    """The Bayes answer with its exact confidence on every image that has a question about confidence."""
    files = (small_world.calibration, small_world.validation, small_world.test, small_world.test_ood)
    samples = [sample for file in files for sample in read_vecbench(str(file))]
    return [Prediction.of(sample, response=response(*oracle.bayes_answer(sample.id))) for sample in samples]


def response(answer, confidence):
    return f"<answer>{answer}</answer><confidence>{confidence:.17f}</confidence>"


def test_the_oracles_ece_is_within_chance(predictions, oracle):
    overall = score_strict(predictions).overall
    confidence = np.array([oracle.bayes_answer(prediction.id)[1] for prediction in predictions])
    assert overall.coverage == 1.0
    assert 0 < overall.ece < error_if_calibrated(confidence, quantile=0.975, num_draws=2000)


def test_exaggerated_confidences_exceed_it(predictions, oracle):
    exact = np.array([oracle.bayes_answer(prediction.id)[1] for prediction in predictions])
    exaggerated = 1 - (1 - exact) / 3
    stated = [
        replace(prediction, response=response(oracle.bayes_answer(prediction.id)[0], confidence))
        for prediction, confidence in zip(predictions, exaggerated, strict=True)
    ]
    assert score_strict(stated).overall.ece > error_if_calibrated(exaggerated, quantile=0.975)


def test_the_oracles_brier_is_exact_in_expectation(predictions, oracle):
    exact = np.array([oracle.bayes_answer(prediction.id)[1] for prediction in predictions])
    expected = float(np.mean(exact * (1 - exact)))
    assert expected_metrics(predictions, oracle)["brier"] == pytest.approx(expected, abs=1e-12)
    rng = np.random.default_rng(0)
    drawn = [brier_score(exact, (rng.random(len(exact)) < exact).astype(float)) for _ in range(4000)]
    assert np.mean(drawn) == pytest.approx(expected, abs=4 * np.std(drawn) / np.sqrt(len(drawn)))


def test_the_quantile_is_that_of_the_protocols_ece(predictions, oracle):
    exact = np.array([oracle.bayes_answer(prediction.id)[1] for prediction in predictions])
    rng = np.random.default_rng(1)
    errors = [expected_calibration_error(exact, (rng.random(len(exact)) < exact).astype(float)) for _ in range(1000)]
    assert error_if_calibrated(exact, quantile=0.975) == pytest.approx(np.quantile(errors, 0.975), rel=0.06)
