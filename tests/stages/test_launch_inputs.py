"""What a launch writes down of its inputs, and what of them may not change while it lasts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.errors import RunError
from emocal_rl.platform.runs.manifest import Manifest, read_manifest
from emocal_rl.stages import launch
from emocal_rl.stages.inputs import Inputs

SAMPLE = Sample("a", ("/a.png",), "Which?", ("awe", "fear"), "awe", "")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("1234")
    (tmp_path / "rule.py").write_text("def rule(x):\n    return 0.5\n")
    monkeypatch.setattr(launch, "fetch_model", lambda model: Path(model.path))
    flags = {
        "model.path": str(tmp_path / "model"),
        "data.train": "rows.jsonl",
        "reward.confidence.rule": f"{tmp_path}/rule.py:rule",
        "reward.confidence.invalid": 0.0,
    }
    return resolve_config(None, flags)


@pytest.fixture
def attempt(config: Config, tmp_path: Path) -> Callable[..., Manifest]:
    """Begin, or begin again, in the same run directory; `trained`: there is a checkpoint."""

    def record(train: str = "abc", *, trained: bool = True) -> Manifest:
        with Manifest(tmp_path / "manifest.json", seeds={}, stage="calibration") as manifest:
            inputs = Inputs((SAMPLE,), (), (SAMPLE,), None, {"data.train": train})
            launch._record_inputs(config, inputs, manifest, is_trained=trained)
        return manifest

    return record


def test_inputs_that_are_as_they_were(attempt: Callable[..., Manifest], tmp_path: Path) -> None:
    first, second = attempt(trained=False), attempt()
    assert first.values["hashes"] == second.values["hashes"] == read_manifest(tmp_path / "manifest.json")["hashes"]
    assert first.values["hashes"].keys() == {"data.train", "model.path (files)", "reward.confidence.rule"}
    assert second.values["reward"]["confidence"]["source"] == f"{tmp_path}/rule.py"


def test_other_data_is_refused(attempt: Callable[..., Manifest]) -> None:
    attempt()
    with pytest.raises(RunError, match=r"data\.train = 'rows\.jsonl': has changed since the run began.*another run"):
        attempt("another hash", trained=False)


def test_another_export_behind_the_same_path_is_refused(attempt: Callable[..., Manifest], tmp_path: Path) -> None:
    attempt()
    (tmp_path / "model" / "weights").write_text("12345")
    with pytest.raises(RunError, match=r"model\.path \(files\) = '.*model': has changed since the run began"):
        attempt()


def test_a_plugin_may_be_mended_until_something_was_trained_on_it(
    attempt: Callable[..., Manifest], tmp_path: Path
) -> None:
    attempt(trained=False)
    (tmp_path / "rule.py").write_text("def rule(x):\n    return 0.25\n")
    attempt(trained=False)
    (tmp_path / "rule.py").write_text("def rule(x):\n    return 0.75\n")
    with pytest.raises(RunError, match=r"reward\.confidence\.rule = '.*rule\.py': has changed since the run began"):
        attempt()


def test_another_cold_start_is_refused_before_it_is_built(tmp_path: Path) -> None:
    tiny = resolve_config("synthvec")
    with Manifest(tmp_path / "manifest.json", seeds={}, stage="calibration") as manifest:
        inputs = Inputs((SAMPLE,), (), (SAMPLE,), None, {"synthvec": "world"})
        launch._record_inputs(tiny, inputs, manifest, is_trained=False)
        other = resolve_config("synthvec", sets=["reasoning.epochs=7"])
        with pytest.raises(RunError, match="model: has changed since the run began"):
            launch._record_inputs(other, inputs, manifest, is_trained=False)
