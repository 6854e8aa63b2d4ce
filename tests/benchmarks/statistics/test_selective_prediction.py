from itertools import permutations

import numpy as np
import pytest

from emocal_rl.benchmarks.statistics.selective_prediction import risk_coverage


def test_the_curve_by_hand():
    curve = risk_coverage(np.array([0.9, 0.6, 0.8, 0.7]), np.array([1.0, 0.0, 0.0, 1.0]))
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert curve.area == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert curve.excess_area == pytest.approx(curve.area - (0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert [curve.accuracy_at(coverage) for coverage in (0.2, 0.25, 0.5, 0.6, 1.0)] == pytest.approx(
        [1, 1, 1 / 2, 2 / 3, 1 / 2]
    )


def test_ties_are_the_mean_over_all_their_orders():
    confidence, outcome = np.array([0.9, 0.5, 0.5, 0.5, 0.1]), np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    risks = []
    for order in permutations(range(5)):
        ranked = list(order)
        if (np.diff(confidence[ranked]) <= 0).all():
            risks.append(np.cumsum(1 - outcome[ranked]) / np.arange(1, 6))
    assert len(risks) == 6
    assert risk_coverage(confidence, outcome).risk == pytest.approx(np.mean(risks, axis=0))


def test_the_best_order_has_no_excess():
    curve = risk_coverage(np.array([0.9, 0.8, 0.2]), np.array([1.0, 1.0, 0.0]))
    assert curve.excess_area == pytest.approx(0.0, abs=1e-15)
    constant = risk_coverage(np.full(8, 0.7), np.array([1.0, 0.0] * 4))
    assert constant.risk == pytest.approx(np.full(8, 0.5))


def test_a_decimal_coverage_is_as_many_samples_as_it_says():
    curve = risk_coverage(np.linspace(1, 0, 100), np.arange(100) % 2.0)
    for percent in range(1, 101):
        assert curve.accuracy_at(percent / 100) == 1 - curve.risk[percent - 1]
