import pytest
from scipy.stats import binomtest

from emocal_rl.platform.report.wilson import wilson_interval


@pytest.mark.parametrize(("right", "trials"), [(0, 1), (1, 1), (3, 10), (500, 1000), (7, 7)])
def test_it_is_scipys(right: int, trials: int) -> None:
    theirs = binomtest(right, trials).proportion_ci(0.95, method="wilson")
    assert wilson_interval(right / trials, trials) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_repeats_that_count_less_widen_it() -> None:
    low, high = wilson_interval(0.5, 100 / 4)
    assert (low, high) == pytest.approx(wilson_interval(0.5, 25))
    assert high - low > wilson_interval(0.5, 100)[1] - wilson_interval(0.5, 100)[0]
