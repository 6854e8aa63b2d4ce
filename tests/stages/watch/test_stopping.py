"""The loop of stage 3 with made-up roles, ended by an alarm."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.contracts import RewardedResponse, Sample, ScoredGroup
from emocal_rl.platform.errors import AlarmError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import Journal, read_journal
from emocal_rl.platform.runs.manifest import Manifest, read_manifest
from emocal_rl.platform.trackers.tracker_set import TrackerSet
from emocal_rl.stages import calibration
from emocal_rl.stages.recorder import Recorder
from emocal_rl.stages.watch.watch import Watch

SETTINGS = [
    "calibration.prompts_per_step=1", "calibration.num_mini_batches=1", "calibration.num_steps=4",
    "calibration.save_every=0", "calibration.eval_every=0", "alarms.short_window=1", "loss.kl_coefficient=0",
]  # fmt: skip


class Learner:
    """A learner whose KL blows up in its second step."""

    weight_version = 1

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def update(self, *_: object) -> None:
        self.steps += 1

    def merge(self, _: object) -> dict[str, float]:
        return {"loss/kl": 5.0 if self.steps >= 2 else 0.1}


def train(directory: RunDirectory, start_step: int, saved: list[int], *sets: str) -> None:
    learner = Learner(start_step)
    answers = (RewardedResponse({"format": 1.0}, 1.0, True, 0.7, True, "awe"),)
    scored = ScoredGroup("s", "FI-8", answers, (0.0,), (5,), 1, (0,), ("stop",), ("a",))
    fakes: dict[str, Any] = {
        "rollouts": SimpleNamespace(stream=lambda requests, _: [(i, "group") for i, _ in enumerate(requests)]),
        "learner": learner, "weight_sync": SimpleNamespace(push=lambda: None),
        "rewards": SimpleNamespace(submit=lambda *_: scored), "reference": None,
    }  # fmt: skip
    config = resolve_config(None, sets=[*SETTINGS, *sets])
    store = SimpleNamespace(save=lambda step, *_: saved.append(step))
    with Journal(directory) as journal:
        recorder = Recorder(journal, TrackerSet({}, print), SilentProgress())
        watch = Watch(config, recorder, journal=read_journal(directory))
        prompts, roles = [Sample("s", (), "?", ("awe",), "awe", "FI-8")], calibration.Roles(**fakes)
        calibration.run(
            config, roles, prompts, lambda _: None, directory, store,  # type: ignore[arg-type, return-value]
            recorder, watch, SilentProgress(), start_step=start_step,
        )  # fmt: skip


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[RunDirectory]:
    monkeypatch.setattr(calibration, "ray", SimpleNamespace(get=lambda value: value, cluster_resources=dict))
    monkeypatch.setattr(calibration, "check_parity", lambda *_, **__: 0.0)
    with RunDirectory.create(tmp_path, "run") as run:
        yield run


def test_a_stopped_run_leaves_a_checkpoint_and_its_status_and_resumes_with_other_alarms(
    directory: RunDirectory,
) -> None:
    saved: list[int] = []
    with pytest.raises(AlarmError, match="kl-blow-up"), Manifest(directory.manifest, seeds={}):
        train(directory, 0, saved, "alarms.stop=[kl-blow-up]")
    assert [row["step"] for row in read_journal(directory, "train")] == [1, 2]
    assert saved == [2]
    manifest = read_manifest(directory.manifest)
    assert manifest["status"] == "stopped"
    assert manifest["error"].startswith("kl-blow-up at step 2: KL to the reference 5 nats")

    with Manifest(directory.manifest, seeds={}):
        train(directory, 2, saved, "alarms.stop=[]")
    assert [row["step"] for row in read_journal(directory, "train")] == [1, 2, 3, 4]
    assert saved == [2, 4]
    manifest = read_manifest(directory.manifest)
    assert (manifest["status"], [attempt["status"] for attempt in manifest["earlier"]]) == ("finished", ["stopped"])
    assert [event["alarm"] for event in read_journal(directory, "event") if event["name"] == "alarm"] == ["kl-blow-up"]


def test_an_alarm_in_the_last_step_has_nothing_left_to_stop(directory: RunDirectory) -> None:
    saved: list[int] = []
    train(directory, 0, saved, "alarms.stop=[kl-blow-up]", "calibration.num_steps=2")
    assert saved == [2]
