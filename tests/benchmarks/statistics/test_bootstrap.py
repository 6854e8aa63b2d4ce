from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import bootstrap

from emocal_rl.benchmarks.statistics.bootstrap import Interval, Resampled, average, resample


class Mean:
    """The weighted mean and its exponential, of some values."""

    def __init__(self, values):
        self.values = values

    def under_weights(self, weights):
        mean = self.values @ weights / weights.sum(axis=0)
        return np.stack([mean, np.exp(mean)])

    def leave_one_out(self):
        return self.under_weights(1 - np.eye(len(self.values)))


VALUES = np.random.default_rng(3).exponential(size=60)
STRATA = np.repeat([0, 1, 2], [10, 20, 30])


def draw(values=VALUES, strata=STRATA, num_resamples=4000, seed=0):
    rows = [np.ones(len(values), dtype=bool)]
    (drawn,) = resample([Mean(values)], rows, strata, num_resamples=num_resamples, rng=np.random.default_rng(seed))
    return drawn


def test_the_interval_is_scipys_on_the_same_resamples():
    drawn = draw()
    parts = [VALUES[stratum == STRATA] for stratum in range(3)]

    def statistic(*samples, axis=-1):
        return np.exp(np.concatenate(samples, axis=axis).mean(axis=axis))

    settings = {"n_resamples": 0, "method": "BCa", "vectorized": True, "paired": False}
    given = SimpleNamespace(bootstrap_distribution=drawn.replicates[1])
    expected = bootstrap(parts, statistic, bootstrap_result=given, **settings).confidence_interval
    interval = drawn.intervals()[1]
    assert (interval.lower, interval.upper) == pytest.approx((expected.low, expected.high), rel=1e-12)
    expected = bootstrap(parts, statistic, bootstrap_result=given, confidence_level=0.8, **settings).confidence_interval
    assert drawn.intervals(0.8)[1].upper == pytest.approx(expected.high, rel=1e-12)


def test_the_resamples_are_distributed_as_scipys():
    parts = [VALUES[stratum == STRATA] for stratum in range(3)]

    def mean(*samples, axis=-1):
        return np.concatenate(samples, axis=axis).mean(axis=axis)

    theirs = bootstrap(parts, mean, n_resamples=20_000, rng=1)
    drawn = draw(num_resamples=20_000)
    assert drawn.replicates[0].std(ddof=1) == pytest.approx(theirs.standard_error, rel=0.02)
    low, high = theirs.confidence_interval
    interval = drawn.intervals()[0]
    assert (interval.lower, interval.upper) == pytest.approx((low, high), abs=0.04 * (high - low))


def test_a_stratum_keeps_its_size():
    level = np.repeat([0.0, 10.0], [10, 50])  # between strata nothing varies: unstratified resampling would
    assert draw(level, (level > 5).astype(int)).intervals() == [None, None]
    assert draw(level, np.zeros(60, dtype=int)).intervals()[0] is not None


def test_the_seed_decides_and_the_chunks_do_not_matter(monkeypatch):
    once = draw(num_resamples=50).replicates
    assert np.array_equal(once, draw(num_resamples=50).replicates)
    assert not np.array_equal(once, draw(num_resamples=50, seed=1).replicates)
    monkeypatch.setattr("emocal_rl.benchmarks.statistics.bootstrap._ELEMENTS_AT_ONCE", 7 * 60)
    assert draw(num_resamples=50).replicates.shape == (2, 50)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_resamples_on_one_side_of_the_estimate_are_mirrored_at_it(side):
    replicates = 3.0 + side * np.arange(1, 102)  # what bias leaves: none below, or none above
    drawn = Resampled(np.array([3.0]), replicates[None], 3.0 + np.eye(1, 20), np.zeros(20, dtype=int))
    (interval,) = drawn.intervals(0.9)
    near, far = 3.0 - side * 6.0, 3.0 - side * 96.0
    assert interval == Interval(min(near, far), max(near, far), "basic")
    (bounded,) = drawn.intervals(0.9, bounds=(0.0, 50.0))
    assert (bounded.lower, bounded.upper) == ((0.0, 0.0) if side > 0 else (9.0, 50.0))


def test_bca_is_kept_up_to_its_limit():
    def method(num_below):
        replicates = np.concatenate([np.linspace(2, 2.9, num_below), np.linspace(3.1, 4, 100 - num_below)])
        drawn = Resampled(np.array([3.0]), replicates[None], 3.0 + np.eye(1, 20), np.zeros(20, dtype=int))
        return drawn.intervals()[0].method

    assert [method(num_below) for num_below in (0, 15, 16, 50, 84, 85, 100)] == (
        ["basic"] * 2 + ["bca"] * 3 + ["basic"] * 2
    )


def test_no_interval_where_it_is_undefined(recwarn):
    assert draw(np.full(60, 0.1)).intervals() == [None, None]  # all resamples agree
    assert draw(np.where(np.arange(60) == 0, np.nan, VALUES)).intervals() == [None, None]
    assert draw(VALUES, np.arange(60)).intervals() == [None, None]  # every row its own stratum: nothing to draw
    assert not recwarn.list


def test_an_average_of_parts_varies_as_their_mean():
    parts = [stratum == STRATA for stratum in range(3)]
    drawn = resample(
        [Mean(VALUES[rows]) for rows in parts], parts, STRATA, num_resamples=500, rng=np.random.default_rng(0)
    )
    mean = average(drawn)
    assert mean.estimate[0] == pytest.approx(np.mean([VALUES[rows].mean() for rows in parts]))
    assert mean.replicates == pytest.approx(np.mean([part.replicates for part in drawn], axis=0))
    without = [VALUES[rows].mean() for rows in parts]
    without[1] = VALUES[parts[1]][1:].mean()
    assert mean.leave_one_out[0, 10] == pytest.approx(np.mean(without))
    assert isinstance(mean.intervals()[0], Interval)


def test_an_average_leaves_out_parts_in_which_a_metric_is_undefined():
    parts = [stratum == STRATA for stratum in range(3)]
    values = np.where(STRATA == 1, np.nan, VALUES)
    drawn = resample(
        [Mean(values[rows]) for rows in parts], parts, STRATA, num_resamples=50, rng=np.random.default_rng(0)
    )
    mean = average(drawn)
    assert mean.estimate[0] == pytest.approx((VALUES[:10].mean() + VALUES[30:].mean()) / 2)
    assert mean.replicates[0] == pytest.approx((drawn[0].replicates[0] + drawn[2].replicates[0]) / 2)
    assert np.isnan(average([drawn[1]]).estimate).all()
    assert average([drawn[1]]).intervals() == [None, None]
