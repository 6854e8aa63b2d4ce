from pathlib import Path

import pytest

import emocal_rl.stages
from emocal_rl.cluster.placement import plan_placement
from emocal_rl.platform.config.load import dump_config, resolve_config
from emocal_rl.platform.config.recipes import list_recipes
from emocal_rl.rewards.composition import Composition


def test_all_shipped_recipes_are_listed() -> None:
    folder = Path(next(iter(emocal_rl.stages.__path__))) / "recipes"
    assert sorted(list_recipes()) == sorted(path.stem for path in folder.glob("*.yaml"))
    assert {"synthvec", "smoke"} <= set(list_recipes())


@pytest.mark.parametrize("recipe", list_recipes())
def test_recipe_resolves_and_fits_two_cores(recipe: str) -> None:
    config = resolve_config(recipe)
    assert resolve_config(None, sets=[]) != config
    assert plan_placement(config, num_gpus=0).wanted["CPU"] <= 2
    assert Composition.from_config(config.reward).worst_total > float("-inf")
    assert config.advantage.normalize is False
    assert config.reward.confidence.rule == "loglik"


@pytest.mark.parametrize("recipe", list_recipes())
def test_a_dumped_recipe_reads_back_the_same(recipe: str, tmp_path: Path) -> None:
    config = resolve_config(recipe)
    (tmp_path / "config.yaml").write_text(dump_config(config))
    assert resolve_config(str(tmp_path / "config.yaml")) == config
