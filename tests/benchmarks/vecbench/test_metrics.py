import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, f1_score, roc_auc_score

from emocal_rl.benchmarks.vecbench.metrics import (
    brier_score,
    expected_calibration_error,
    f1_scores,
    reliability_bins,
    roc_auc,
)


def _arrays(*pairs):
    """(confidence, number of samples, number right) triples as arrays."""
    confidence = np.concatenate([np.full(count, value) for value, count, _ in pairs])
    outcome = np.concatenate([np.arange(count) < right for _, count, right in pairs]).astype(float)
    return confidence, outcome


@pytest.mark.parametrize(
    ("pairs", "ece"),
    [
        ([(0.3, 5, 1), (0.25, 5, 3)], 0.225),  # float edges from linspace put .3 below .3 and give .125
        ([(1.0, 10, 0)], 1.0),  # half-open bins have no place for 1.0 and give 0
        ([(1.0, 5, 0), (0.95, 5, 5)], 0.475),
        ([(0.0, 4, 0)], 0.0),
        ([(0.8, 10, 8)], 0.0),
    ],
)
def test_expected_calibration_error_has_exact_edges_and_a_closed_last_bin(pairs, ece):
    assert expected_calibration_error(*_arrays(*pairs)) == pytest.approx(ece, abs=1e-12)


@pytest.mark.parametrize("num_bins", [2, 4, 5, 10, 20, 25, 100])
def test_a_decimal_edge_opens_its_bin(num_bins):
    for number in range(num_bins):
        confidence = np.array([float(f"{number / num_bins:.2f}")])
        bins = reliability_bins(confidence, np.ones(1), num_bins=num_bins)
        assert [entry.count for entry in bins].index(1) == number


def test_reliability_bins_leave_empty_bins_undefined():
    bins = reliability_bins(np.array([0.05, 0.95, 1.0]), np.array([0.0, 1.0, 0.0]))
    assert [entry.count for entry in bins] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bins[1].mean_confidence is None
    assert bins[1].accuracy is None
    assert (bins[9].lower, bins[9].upper, bins[9].accuracy) == (0.9, 1.0, 0.5)
    assert bins[9].mean_confidence == pytest.approx(0.975)


def test_brier_score_is_scikit_learns_on_outcomes_and_an_expectation_on_probabilities():
    rng = np.random.default_rng(0)
    confidence, outcome = rng.random(50), rng.integers(0, 2, 50).astype(float)
    assert brier_score(confidence, outcome) == pytest.approx(brier_score_loss(outcome, confidence))
    assert brier_score(np.array([0.7]), np.array([0.7])) == pytest.approx(0.7 * 0.3)


def test_roc_auc():
    assert roc_auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.0, 0.0, 1.0, 1.0])) == pytest.approx(0.75)
    assert roc_auc(np.array([0.5, 0.5]), np.array([0.0, 1.0])) == pytest.approx(0.5)
    assert roc_auc(np.array([0.2, 0.9]), np.array([1.0, 1.0])) is None
    # P(right is above wrong): pairs (.9 right, .2 wrong) .9 * .6, (.2 right, .9 wrong) .4 * .1, ties count half
    weights = 0.9 * 0.6 + 0.5 * (0.9 * 0.1 + 0.4 * 0.6)
    assert roc_auc(np.array([0.9, 0.2]), np.array([0.9, 0.4])) == pytest.approx(weights / (1.3 * 0.7))


def test_roc_auc_is_scikit_learns():
    rng = np.random.default_rng(1)
    confidence, outcome = rng.integers(0, 9, 80) / 10, rng.integers(0, 2, 80).astype(float)
    assert roc_auc(confidence, outcome) == pytest.approx(roc_auc_score(outcome, confidence), abs=1e-12)


def test_f1_scores_do_not_average_over_answers_that_are_no_label():
    macro, weighted = f1_scores(np.array([0, 0, 0, 1]), np.array([0, 0, -1, 1]))
    assert macro == pytest.approx((0.8 + 1.0) / 2)
    assert weighted == pytest.approx((3 * 0.8 + 1.0) / 4)


def test_f1_scores_are_scikit_learns():
    rng = np.random.default_rng(2)
    label, answer = rng.choice([0, 2, 3, 7], 90), rng.integers(-1, 10, 90)
    known = np.unique(label)
    expected = [f1_score(label, answer, labels=known, average=kind) for kind in ("macro", "weighted")]
    assert f1_scores(label, answer) == pytest.approx(expected, abs=1e-12)
