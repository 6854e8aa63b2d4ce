import pytest

from emocal_rl.rewards.audit.sign_change import sign_change


def test_roots_and_jumps_are_found() -> None:
    assert sign_change(lambda x: x**2 - 0.5, 0, 1) == pytest.approx(0.5**0.5, abs=1e-5)
    assert sign_change(lambda x: 1.0 if x < 0.3 else -1.0, 0, 1) == pytest.approx(0.3, abs=1e-5)
