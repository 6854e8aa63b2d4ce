import numpy as np
import pytest

from emocal_rl.benchmarks.statistics.smooth_calibration_error import smooth_calibration_error


def smoothed(confidence, residual, width, num_points=4001):
    """The smECE of one width by its definition: residuals under a Gaussian reflected at 0 and 1, integrated."""
    at = np.linspace(0, 1, num_points)
    images = np.concatenate([s * confidence + 2 * k for k in range(-3, 4) for s in (1, -1)])
    weight = np.tile(residual, 14)
    density = np.exp(-(((at[:, None] - images) / width) ** 2) / 2) / (width * np.sqrt(2 * np.pi))
    return np.trapezoid(np.abs(density @ weight), at) / len(confidence)


@pytest.mark.parametrize("shift", [0.0, 0.15, -0.4])
@pytest.mark.parametrize("decimals", [1, 8])
def test_it_is_the_fixed_point_of_its_definition(shift, decimals):
    rng = np.random.default_rng(0)
    confidence = rng.beta(3, 2, 60).round(decimals)
    outcome = (rng.random(60) < confidence - shift).astype(float)
    found = smooth_calibration_error(confidence, outcome)
    assert found > 0.01
    assert smoothed(confidence, outcome - confidence, found) == pytest.approx(found, abs=2e-5)


def test_certain_answers_at_both_ends():
    assert smooth_calibration_error(np.array([0.0, 1.0]), np.array([0.0, 1.0])) == 0.0
    confidence, outcome = np.array([1.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0])
    found = smooth_calibration_error(confidence, outcome)
    assert found == pytest.approx(1 / 3, abs=1e-6)
    assert smoothed(confidence, outcome - confidence, found) == pytest.approx(found, abs=2e-5)


def test_a_known_probability_is_its_own_residual():
    confidence = np.linspace(0.2, 0.9, 50)
    assert smooth_calibration_error(confidence, confidence) == 0.0
    assert smooth_calibration_error(confidence, confidence - 0.1) == pytest.approx(0.1, abs=1e-6)  # one sign: no loss


def test_moving_a_confidence_a_little_moves_it_a_little():
    outcome = np.repeat([1.0, 0.0], 50)
    below, above = (np.full(100, 0.5 + step) for step in (-1e-6, 1e-6))
    split = smooth_calibration_error(np.where(outcome > 0, above, below), outcome)
    assert split == pytest.approx(
        smooth_calibration_error(np.full(100, 0.5), outcome), abs=1e-3
    )  # a bin edge at .5 makes it .5
