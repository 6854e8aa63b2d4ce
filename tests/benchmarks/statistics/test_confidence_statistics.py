from collections.abc import Callable

import pytest
from sklearn.metrics import brier_score_loss

from emocal_rl.benchmarks.statistics.confidence_statistics import confidence_statistics
from emocal_rl.benchmarks.statistics.smooth_calibration_error import smooth_calibration_error
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes
from emocal_rl.benchmarks.vecbench.strict import strict_report


def test_the_statistics_are_over_the_stated_confidences(make_outcomes: Callable[..., Outcomes]) -> None:
    outcomes = make_outcomes()
    found, report = confidence_statistics(outcomes), strict_report(outcomes).overall
    assert found is not None
    assert (found.num_samples, found.num_stated) == (len(outcomes), round(report.coverage * len(outcomes)))
    assert found.ece == pytest.approx(report.ece, abs=1e-12)
    assert found.brier == pytest.approx(report.brier, abs=1e-12)
    confidence, right = outcomes.confidence[outcomes.stated], outcomes.correct[outcomes.stated].astype(float)
    assert found.brier == pytest.approx(brier_score_loss(right, confidence), abs=1e-12)
    assert found.ece_smooth == smooth_calibration_error(confidence, right)
    assert found.ece_debiased < found.ece <= found.mce
    assert found.e_aurc < found.aurc
    assert found.accuracy_at_coverage[0.5] > right.mean()


def test_no_confidence_no_statistics(make_outcomes: Callable[..., Outcomes]) -> None:
    outcomes = make_outcomes()
    assert confidence_statistics(outcomes.where(~outcomes.stated)) is None
