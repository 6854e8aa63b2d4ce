import pytest

from emocal_rl.benchmarks.synthvec.world import build_world
from emocal_rl.platform.config.data import SynthVECConfig

SMALL = SynthVECConfig(
    num_pretrain=64,
    num_reasoning=48,
    num_confidence=32,
    num_calibration=16,
    num_validation=9,
    num_test=60,
    num_test_ood=30,
)


@pytest.fixture(scope="session")
def small_config():
    return SMALL


@pytest.fixture(scope="session")
def small_world(tmp_path_factory):
    """A built world of 259 images."""
    return build_world(SMALL, tmp_path_factory.mktemp("synthvec") / "world")
