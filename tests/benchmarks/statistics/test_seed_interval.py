import pytest

from emocal_rl.benchmarks.statistics.seed_interval import seed_interval


def test_students_interval_of_three_runs() -> None:
    # mean 2, standard deviation 1, t(.975, 2) = 4.302653
    assert seed_interval([1.0, 2.0, 3.0]) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), abs=1e-6)


def test_one_run_has_no_interval() -> None:
    assert seed_interval([0.5]) is None
