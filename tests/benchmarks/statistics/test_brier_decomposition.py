import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from emocal_rl.benchmarks.statistics.brier_decomposition import brier_decomposition
from emocal_rl.benchmarks.statistics.calibration_error import equal_mass, equal_width


@pytest.mark.parametrize("binning", [equal_width, equal_mass])
@pytest.mark.parametrize("decimals", [1, 8])
def test_the_terms_sum_to_the_brier_score(binning, decimals):
    rng = np.random.default_rng(0)
    confidence, outcome = rng.random(80).round(decimals), (rng.random(80) < 0.6).astype(float)
    terms = brier_decomposition(confidence, outcome, binning(confidence, outcome, 5))
    score = pytest.approx(brier_score_loss(outcome, confidence), abs=1e-14)
    within = terms.within_bin_variance - terms.within_bin_covariance
    assert terms.brier == score
    assert terms.reliability - terms.resolution + terms.uncertainty + within == score
    assert terms.reliability - terms.generalized_resolution + terms.uncertainty == score


def test_the_terms_by_hand():
    confidence, outcome = np.array([0.8, 0.8, 0.8, 0.8, 0.3, 0.3]), np.array([1.0, 1.0, 0.0, 0.0, 0.0, 1.0])
    confidence[4:] = 0.32, 0.38
    terms = brier_decomposition(confidence, outcome, equal_width(confidence, outcome))
    assert terms.reliability == pytest.approx((4 * 0.3**2 + 2 * 0.15**2) / 6)
    assert terms.resolution == pytest.approx(0.0)
    assert terms.uncertainty == pytest.approx(0.25)
    assert terms.within_bin_variance == pytest.approx(2 * 0.03**2 / 6)
    assert terms.within_bin_covariance == pytest.approx(2 * 2 * 0.03 * 0.5 / 6)
    assert terms.reliability_debiased == pytest.approx(terms.reliability - (4 * 0.25 / 3 + 2 * 0.25 / 1) / 6)


def test_without_variety_in_the_bins_the_resolution_is_the_generalized_one():
    # Bin .8: half right, .3 apart; bin .3: none right, .3 apart; overall a quarter is right.
    confidence, outcome = np.array([0.8, 0.8, 0.3, 0.3]), np.array([1.0, 0.0, 0.0, 0.0])
    terms = brier_decomposition(confidence, outcome, equal_width(confidence, outcome))
    assert (terms.reliability, terms.uncertainty) == (pytest.approx(0.09), pytest.approx(0.1875))
    assert terms.resolution == terms.generalized_resolution == pytest.approx(0.0625)


def test_debiased_reliability_is_unbiased_for_the_squared_error():
    rng = np.random.default_rng(1)
    confidence = np.repeat([0.25, 0.65], 15)
    found = []
    for _ in range(3000):
        outcome = (rng.random(30) < confidence - 0.1).astype(float)
        found.append(brier_decomposition(confidence, outcome, equal_width(confidence, outcome)).reliability_debiased)
    assert np.mean(found) == pytest.approx(0.01, abs=4 * np.std(found) / np.sqrt(3000))
