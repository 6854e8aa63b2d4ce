import numpy as np
import pytest

from emocal_rl.benchmarks.recalibration.cross_fitting import cross_fit
from emocal_rl.benchmarks.recalibration.methods import METHODS
from emocal_rl.benchmarks.vecbench.metrics import expected_calibration_error


def test_no_outcome_touches_its_own_confidence():
    fitted_on = []

    def fit(confidence, outcome):
        fitted_on.append(confidence)
        return lambda values: np.full(len(values), len(fitted_on) - 1.0)

    confidence = np.arange(10.0)
    fold = cross_fit(fit, confidence, np.zeros(10), np.zeros(10, dtype=int), num_folds=3)
    assert len(fitted_on) == 3
    for row, number in enumerate(fold):
        assert confidence[row] not in fitted_on[int(number)]
        assert len(fitted_on[int(number)]) == 10 - (fold == number).sum()


def test_strata_are_spread_evenly_and_the_seed_decides():
    def fit(confidence, outcome):
        spread.append(np.bincount(outcome.astype(int)))
        return lambda values: values

    strata = np.array([0] * 20 + [1] * 9 + [2])
    spread = []
    cross_fit(fit, np.ones(30), strata.astype(float), strata, num_folds=5, seed=3)
    assert all(abs(counts[0] - 16) <= 1 and abs(counts[1] - 7.2) <= 1.2 for counts in spread)

    def noted(confidence, outcome):
        mean = float(outcome.mean())
        return lambda values: np.full(len(values), mean)

    outcome = np.random.default_rng(0).random(30)
    runs = [cross_fit(noted, np.ones(30), outcome, strata, seed=seed) for seed in (3, 3, 4)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


@pytest.mark.parametrize("method", METHODS)
def test_recalibration_mends_overconfidence(method):
    rng = np.random.default_rng(0)
    confidence = rng.beta(8, 2, 1000).round(2)
    outcome = (rng.random(1000) < 0.4 + 0.3 * confidence).astype(float)
    after = cross_fit(METHODS[method], confidence, outcome, np.zeros(1000, dtype=int))
    assert expected_calibration_error(confidence, outcome) > 0.12
    assert expected_calibration_error(after, outcome) < 0.07
