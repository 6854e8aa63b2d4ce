import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emocal_rl.platform.config.reward import AdvantageConfig
from emocal_rl.rewards.advantages import group_advantages

RAW, NORMALIZED = AdvantageConfig(normalize=False), AdvantageConfig(normalize=True, epsilon=0.0)
NONE = (False,) * 4


def test_raw_advantages_are_centred():
    group = group_advantages([1.0, 2.0, 3.0, 6.0], NONE, RAW)
    assert group.values == (-2.0, -1.0, 0.0, 3.0)
    assert not group.zero_variance


def test_normalised_advantages_use_the_unbiased_standard_deviation():
    std = math.sqrt((4 + 1 + 0 + 9) / 3)
    assert group_advantages([1.0, 2.0, 3.0, 6.0], NONE, NORMALIZED).values == pytest.approx(
        (-2 / std, -1 / std, 0.0, 3 / std), rel=1e-12
    )
    padded = group_advantages([1.0, 2.0, 3.0, 6.0], NONE, AdvantageConfig(normalize=True, epsilon=0.5))
    assert padded.values[3] == pytest.approx(3 / (std + 0.5), rel=1e-12)


@pytest.mark.parametrize("garbage", [100.0, math.nan, -math.inf])
def test_masked_responses_leave_mean_and_standard_deviation(garbage):
    masked = (False, True, False, False)
    assert group_advantages([1.0, garbage, 2.0, 6.0], masked, RAW).values == (-2.0, 0.0, -1.0, 3.0)
    std = math.sqrt((4 + 1 + 9) / 2)
    assert group_advantages([1.0, garbage, 2.0, 6.0], masked, NORMALIZED).values == pytest.approx(
        (-2 / std, 0.0, -1 / std, 3 / std), rel=1e-12
    )


@pytest.mark.parametrize("config", [RAW, NORMALIZED, AdvantageConfig(normalize=True)])
@pytest.mark.parametrize(
    ("totals", "masked"),
    [
        ([0.1, 0.1, 0.1, 0.1], NONE),
        ([0.1, 9.0, 0.1, 0.1], (False, True, False, False)),
        ([1.0, 2.0, 3.0, 4.0], (True, True, False, True)),
        ([math.nan] * 4, (True,) * 4),
        ([], ()),
    ],
)
def test_a_group_that_teaches_nothing_is_all_zeros_and_flagged(totals, masked, config):
    group = group_advantages(totals, masked, config)
    assert group.values == (0.0,) * len(totals)
    assert group.zero_variance


@given(st.lists(st.tuples(st.floats(-100, 100), st.booleans()), max_size=16), st.booleans())
def test_advantages_sum_to_zero_and_masked_ones_are_zero(rows, normalize):
    totals, masked = [total for total, _ in rows], [mask for _, mask in rows]
    values = group_advantages(totals, masked, AdvantageConfig(normalize=normalize)).values
    assert sum(values) == pytest.approx(0.0, abs=1e-6)
    assert all(value == 0.0 for value, mask in zip(values, masked, strict=True) if mask)
