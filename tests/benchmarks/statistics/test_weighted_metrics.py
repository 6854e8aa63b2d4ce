from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, f1_score, roc_auc_score

from emocal_rl.benchmarks.statistics.weighted_metrics import METRICS, WeightedMetrics
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes
from emocal_rl.benchmarks.vecbench.strict import strict_report


@pytest.mark.parametrize("decimals", [1, 6])
def test_a_weight_is_a_number_of_copies(make_outcomes: Callable[..., Outcomes], decimals: int) -> None:
    outcomes = make_outcomes(decimals=decimals)
    counts = np.random.default_rng(1).integers(0, 4, (len(outcomes), 3))
    metrics = WeightedMetrics(outcomes).under_weights(counts.astype(float))
    for drawn, values in zip(counts.T, metrics.T, strict=True):
        expected = strict_report(outcomes.take(np.repeat(np.arange(len(outcomes)), drawn))).overall
        assert values == pytest.approx([getattr(expected, name) for name in METRICS], abs=1e-12)


def test_the_values_are_scikit_learns(make_outcomes: Callable[..., Outcomes]) -> None:
    outcomes = make_outcomes()
    (values,) = WeightedMetrics(outcomes).under_weights(np.ones((len(outcomes), 1))).T
    found = dict(zip(METRICS, values, strict=True))
    known, stated = np.unique(outcomes.label), outcomes.stated
    for average in ("macro", "weighted"):
        f1 = f1_score(outcomes.label, outcomes.answer, labels=known, average=average)
        assert found[f"f1_{average}"] == pytest.approx(f1, abs=1e-12)
    right, confidence = outcomes.correct[stated], outcomes.confidence[stated]
    assert found["auc"] == pytest.approx(roc_auc_score(right, confidence), abs=1e-12)
    assert found["brier"] == pytest.approx(brier_score_loss(right, confidence), abs=1e-12)


@pytest.mark.parametrize("decimals", [1, 6])
def test_leaving_one_out_is_a_weight_of_zero(make_outcomes: Callable[..., Outcomes], decimals: int) -> None:
    metrics = WeightedMetrics(make_outcomes(decimals=decimals, FI_8=50, WebEmo_25=20), num_bins=7)
    np.testing.assert_allclose(metrics.leave_one_out(), metrics.under_weights(1 - np.eye(70)), atol=1e-12)


def test_what_is_undefined_is_nan_without_a_warning(
    make_outcomes: Callable[..., Outcomes], recwarn: pytest.WarningsRecorder
) -> None:
    outcomes = make_outcomes(FI_2=20)
    silent = outcomes.where(~outcomes.stated)
    right = outcomes.where(outcomes.correct & outcomes.stated)
    for part, undefined in ((silent, {"ece", "brier", "auc", "mean_confidence"}), (right, {"auc"})):
        metrics = WeightedMetrics(part)
        values = metrics.under_weights(np.ones((len(part), 1)))[:, 0]
        assert {name for name, value in zip(METRICS, values, strict=True) if np.isnan(value)} == undefined
        metrics.leave_one_out()
    assert not recwarn.list
