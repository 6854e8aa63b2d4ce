import math

import pytest


@pytest.mark.parametrize(
    ("name", "turn", "lowest"),
    [("loglik", 0.26894, 0.68674), ("loglik-2", 0.37754, 0.05185), ("official", 0.37754, 0.05185)],
)
def test_the_log_score_falls_until_the_turning_point(values, name, turn, lowest):
    (fall,) = values[name].falls
    assert (fall.start, round(fall.end, 4)) == (0.0, round(turn, 4))
    assert values[name].minimum == pytest.approx((turn, lowest), abs=1e-3)


def test_the_turning_point_in_closed_form(values):
    assert values["loglik"].falls[0].end == pytest.approx(1 / (1 + math.e), abs=1e-6)
    assert values["loglik"].falls[0].depth == pytest.approx(values["loglik"].values[0] - 0.68674, abs=1e-4)


def test_brier_is_monotone(values):
    assert values["brier"].falls == ()
    assert values["brier"].values[499] == pytest.approx(1 + 0.5**2)


def test_the_bounded_preset_falls_until_one_quarter(values):
    (fall,) = values["brier-2"].falls
    assert (fall.start, fall.end, fall.depth) == (0.0, pytest.approx(1 / 4, abs=1e-4), pytest.approx(1 / 8, abs=1e-3))


def test_a_score_without_a_correctness_term_falls_until_one_half(values):
    assert values["sayself"].falls[0].end == pytest.approx(0.5, abs=1e-4)
