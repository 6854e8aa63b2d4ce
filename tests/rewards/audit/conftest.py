import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.rewards.audit.honest_value import HonestValue, audit_honest_value
from emocal_rl.rewards.audit.landscape import Landscape

CONFIGS = {
    "loglik": {},
    "loglik-2": {"confidence": {"weight": 2}},
    "brier": {"confidence": {"rule": "brier"}},
    "brier-2": {"confidence": {"rule": "brier", "weight": 2}},
    "official": {"preset": "official"},
    "unclipped": {"confidence": {"params": {"clip": 0}, "invalid": "mask"}},
    "sayself": {"preset": "sayself"},
}


@pytest.fixture(scope="session")
def landscapes() -> dict[str, Landscape]:
    """Name to landscape; what one test has scored the next need not."""
    return {name: Landscape.of(RewardConfig.model_validate(values)) for name, values in CONFIGS.items()}


@pytest.fixture(scope="session")
def values(landscapes: dict[str, Landscape]) -> dict[str, HonestValue]:
    """Name to honest curve."""
    return {name: audit_honest_value(landscape) for name, landscape in landscapes.items()}
