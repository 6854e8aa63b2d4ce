from pathlib import Path

import pytest

from emocal_rl.platform.config import recipes
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.errors import ConfigErrors


@pytest.mark.parametrize("name", recipes.list_recipes())
def test_every_shipped_recipe_resolves(name: str) -> None:
    resolve_config(name)


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "tiny.yaml").write_text("run:\n  name: from-recipe\n  sed: 1\n")
    (tmp_path / "recipes" / "README.md").write_text("")
    monkeypatch.setattr(recipes.resources, "files", lambda package: {"emocal_rl.stages": tmp_path}[package])


def test_a_recipe_is_found_by_name(shipped: None) -> None:
    assert recipes.list_recipes() == ["tiny"]
    assert recipes.read_recipe("tiny")[0] == "tiny.yaml"
    with pytest.raises(ConfigErrors, match=r"^tiny.yaml:3: run.sed: unknown key. Did you mean 'run.seed'\?$"):
        resolve_config("tiny")


def test_a_misspelt_recipe_gets_the_nearest(shipped: None) -> None:
    with pytest.raises(ConfigErrors, match=r"Did you mean 'tiny'\?"):
        resolve_config("tinny")


def test_a_recipe_may_come_from_a_url() -> None:
    import fsspec

    with fsspec.open("memory://recipes/remote.yaml", "wt") as stream:
        stream.write("run: {name: remote}")
    assert resolve_config("memory://recipes/remote.yaml").run.name == "remote"
