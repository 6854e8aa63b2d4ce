import numpy as np
import pytest

from emocal_rl.benchmarks.vecbench.brier_decomposition import decompose_brier
from emocal_rl.benchmarks.vecbench.metrics import brier_score


def test_parts_by_hand() -> None:
    # Bin .8 is right half of the time, bin .3 never: distances .3 and .3; overall a quarter is right.
    parts = decompose_brier(np.array([0.8, 0.8, 0.3, 0.3]), np.array([1.0, 0.0, 0.0, 0.0]))
    assert parts == pytest.approx({"reliability": 0.09, "resolution": 0.0625, "uncertainty": 0.1875})


def test_the_parts_make_up_the_score_also_where_confidence_varies_within_a_bin() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0, 1, 200)
    outcome = (rng.uniform(0, 1, 200) < confidence).astype(float)
    parts = decompose_brier(confidence, outcome, num_bins=5)
    assert all(value is not None for value in parts.values())
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"]  # type: ignore[operator]
    assert total == pytest.approx(brier_score(confidence, outcome), abs=1e-12)
    assert parts["reliability"] < 0.01  # calibrated by construction


def test_nothing_has_no_parts() -> None:
    assert decompose_brier(np.zeros(0), np.zeros(0)) == {"reliability": None, "resolution": None, "uncertainty": None}
