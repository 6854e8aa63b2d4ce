from collections.abc import Callable

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.stages import cold_start_cache
from emocal_rl.stages.cold_start_cache import cold_start_key


def key(*sets: str) -> str:
    return cold_start_key(resolve_config("smoke", sets=sets))


@pytest.mark.parametrize(
    "setting",
    [
        "synthvec.seed=1",
        "synthvec.num_reasoning=900",
        "pretraining.vision_epochs=3",
        "reasoning.optimizer.learning_rate=1e-3",
        "confidence.scaffold_kl=0",
        "run.seed=1",
    ],
)
def test_what_the_cold_start_depends_on_changes_its_key(setting: str) -> None:
    assert key(setting) != key()


@pytest.mark.parametrize(
    "setting", ["calibration.num_steps=9", "reward.confidence.rule=brier", "advantage.normalize=true", "run.name=x"]
)
def test_arms_of_an_ablation_share_one_cold_start(setting: str) -> None:
    assert key(setting) == key()


def test_runs_of_any_seed_share_a_cold_start_that_has_its_own() -> None:
    assert key("run.cold_start_seed=0", "run.seed=7") == key("run.cold_start_seed=0") == key()
    assert key("run.cold_start_seed=7") == key("run.seed=7") != key()


def test_other_code_is_another_cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    other: Callable[[], str] = lambda: "other code"  # noqa: E731
    monkeypatch.setattr(cold_start_cache, "_code_hash", other)
    assert key() != before
