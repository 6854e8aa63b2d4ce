import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import ConfigErrors
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.trackers.opening import check_trackers, open_trackers

ROWS: list[dict[str, Any]] = [
    {"kind": "sft", "stage": "reasoning", "time": 1.0, "step": 40, "loss": 2.0},
    {"kind": "train", "time": 2.0, "step": 1, "reward/total": 1.5, "rollout/auc": None},
    {"kind": "validation", "time": 3.0, "step": 1, "ece": 0.1},
]


class FakeModule(ModuleType):
    """Stands for a tracker's package: every call is recorded by name, and returns the module itself."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = object()  # type: ignore[assignment]
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> "FakeModule":
            self.calls.append((name, args, kwargs))
            return self

        return call


def run_with(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[FakeModule, RunDirectory]:
    module = FakeModule(name)
    monkeypatch.setitem(sys.modules, name, module)
    run = RunDirectory(tmp_path / "run-1")
    trackers = open_trackers(configured(name), run, pytest.fail)
    for row in ROWS:
        trackers.log(row)
    trackers.close()
    return module, run


def configured(*names: str) -> Config:
    return resolve_config(sets=[f"tracking.trackers=[{', '.join(names)}]", "tracking.project=p"])


def test_wandb_gives_each_group_its_own_step_axis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, run = run_with("wandb", tmp_path, monkeypatch)
    (init, _, arguments), *calls = module.calls
    assert init == "init"
    assert (arguments["project"], arguments["name"], arguments["dir"]) == ("p", "run-1", str(run.path))
    assert arguments["config"]["tracking"]["trackers"] == ["wandb"]
    assert [(name, args, kwargs) for name, args, kwargs in calls if name != "define_metric"] == [
        ("log", ({"reasoning/step": 40, "reasoning/loss": 2.0},), {}),
        ("log", ({"train/step": 1, "train/reward/total": 1.5},), {}),
        ("log", ({"validation/step": 1, "validation/ece": 0.1},), {}),
        ("finish", (), {}),
    ]
    assert ("define_metric", ("train/*",), {"step_metric": "train/step"}) in calls


def test_trackio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, _ = run_with("trackio", tmp_path, monkeypatch)
    assert [name for name, _, _ in module.calls] == ["init", "log", "log", "log", "finish"]
    assert module.calls[2][1:] == (({"train/reward/total": 1.5},), {"step": 1})


def test_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, _ = run_with("mlflow", tmp_path, monkeypatch)
    assert [name for name, _, _ in module.calls] == [
        "set_experiment", "start_run", "log_dict", "log_metrics", "log_metrics", "log_metrics", "end_run",
    ]  # fmt: skip
    assert module.calls[0][1] == ("p",)
    assert module.calls[5][1:] == (({"validation/ece": 0.1},), {"step": 1})


def test_tensorboard_writes_events_without_torch(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = RunDirectory(tmp_path / "run-1")
    trackers = open_trackers(configured("tensorboard"), run, pytest.fail)
    for row in ROWS:
        trackers.log(row)
    trackers.close()
    events = EventAccumulator(str(run.path / "tensorboard")).Reload()
    assert sorted(events.Tags()["scalars"]) == ["reasoning/loss", "train/reward/total", "validation/ece"]
    assert [(event.step, event.value) for event in events.Scalars("train/reward/total")] == [(1, 1.5)]


def test_a_missing_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emocal_rl.platform.trackers.opening.find_spec", {}.get)
    with pytest.raises(ConfigErrors) as caught:
        check_trackers(configured("wandb", "mlflow"))
    assert str(caught.value).splitlines() == [
        "tracking.trackers = 'wandb': the package wandb is not installed. Run: pip install 'emocal-rl[wandb]'.",
        "tracking.trackers = 'mlflow': the package mlflow is not installed. Run: pip install 'emocal-rl[mlflow]'.",
    ]
