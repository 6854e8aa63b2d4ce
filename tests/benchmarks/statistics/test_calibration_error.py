import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from emocal_rl.benchmarks.statistics.calibration_error import (
    calibration_error,
    debiased_calibration_error,
    equal_mass,
    equal_width,
    error_if_calibrated,
    maximum_calibration_error,
)
from emocal_rl.benchmarks.vecbench.metrics import expected_calibration_error


def drawn(num_samples, *, seed=0, decimals=None, shift=0.0):
    """Confidences, and outcomes that are right with their probability + shift."""
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 2, num_samples)
    confidence = confidence if decimals is None else confidence.round(decimals)
    return confidence, (rng.random(num_samples) < confidence + shift).astype(float)


@pytest.mark.parametrize("decimals", [1, 2, None])
@pytest.mark.parametrize("num_bins", [5, 10, 15])
def test_equal_width_is_the_protocols_ece(decimals, num_bins):
    confidence, outcome = drawn(300, decimals=decimals)
    expected = expected_calibration_error(confidence, outcome, num_bins=num_bins)
    assert calibration_error(equal_width(confidence, outcome, num_bins)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("decimals", [1, None])
def test_equal_mass_bins_are_scikit_learns(decimals):
    confidence, outcome = drawn(203, decimals=decimals)
    binned = equal_mass(confidence, outcome, 10)
    accuracy, mean = calibration_curve(outcome, confidence, n_bins=10, strategy="quantile")
    assert binned.accuracy == pytest.approx(accuracy, abs=1e-12)
    assert binned.confidence == pytest.approx(mean, abs=1e-12)
    if decimals is None:
        assert set(binned.size) <= {20, 21}
    assert calibration_error(binned) == pytest.approx(np.abs(accuracy - mean) @ binned.size / 203, abs=1e-12)


def test_equal_confidences_stay_together():
    binned = equal_mass(np.repeat([0.8, 0.9], [7, 3]), np.ones(10), 5)
    assert binned.size.tolist() == [7, 3]


def test_the_maximum_is_over_bins_that_hold_samples():
    confidence, outcome = np.array([0.15, 0.15, 0.95]), np.array([0.0, 1.0, 1.0])
    assert maximum_calibration_error(equal_width(confidence, outcome)) == pytest.approx(0.35)


def test_the_debiased_error_is_the_resampled_one_of_kumar_et_al():
    confidence, outcome = drawn(400, shift=-0.1)
    binned = equal_width(confidence, outcome)
    rng = np.random.default_rng(0)
    spread = np.sqrt(binned.accuracy * (1 - binned.accuracy) / binned.size)
    redrawn = rng.normal(binned.accuracy, spread, (200_000, len(spread)))
    errors = np.abs(binned.confidence - redrawn) @ binned.share
    expected = 2 * calibration_error(binned) - errors.mean()
    assert debiased_calibration_error(binned) == pytest.approx(expected, abs=3e-4)


def test_debiasing_comes_nearer_to_the_true_error():
    plain, debiased = [], []
    for seed in range(60):
        binned = equal_width(*drawn(200, seed=seed, shift=-0.05))
        plain.append(calibration_error(binned))
        debiased.append(debiased_calibration_error(binned))
    assert 0.05 < np.mean(debiased) < np.mean(plain) - 0.015


def test_a_bin_without_spread_keeps_its_error(recwarn):
    assert debiased_calibration_error(equal_width(np.full(4, 0.8), np.ones(4))) == pytest.approx(0.2)
    assert not recwarn.list


@pytest.mark.parametrize("decimals", [1, None])
def test_the_error_of_calibrated_confidences_is_simulated(decimals):
    confidence, _ = drawn(150, decimals=decimals)
    rng = np.random.default_rng(5)
    errors = [expected_calibration_error(confidence, (rng.random(150) < confidence).astype(float)) for _ in range(1500)]
    found = error_if_calibrated(confidence, quantile=0.9)
    assert found == pytest.approx(np.quantile(errors, 0.9), rel=0.05)
    assert found == error_if_calibrated(confidence, quantile=0.9)
    assert error_if_calibrated(np.array([0.0, 1.0, 1.0])) == 0.0
