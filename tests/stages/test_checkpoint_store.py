import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from emocal_rl.actors.learner.checkpoint import atomic_directory, write_manifest
from emocal_rl.platform.errors import RunError
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.stages.checkpoint_store import CheckpointStore


class FakeLearner:
    """Writes real, verifiable checkpoints with nothing in them."""

    def save_checkpoint(self, directory: Path) -> None:
        with atomic_directory(directory) as staging:
            (staging / "weights").write_bytes(b"1234")
            write_manifest(staging, {})

    def export_hf(self, directory: Path) -> None:
        with atomic_directory(directory) as staging:
            (staging / "model.safetensors").write_bytes(b"5678")
            write_manifest(staging, {})


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path, "run")


def store_of(run: RunDirectory, *, keep_last: int = 2, best_metric: str = "brier") -> CheckpointStore:
    return CheckpointStore(run, keep_last=keep_last, best_metric=best_metric)


def save(store: CheckpointStore, **validated: float | None) -> None:
    for name, value in validated.items():
        store.save(int(name.removeprefix("step")), FakeLearner(), value)  # type: ignore[arg-type]


def steps(store: CheckpointStore) -> list[int]:
    return [checkpoint.step for checkpoint in store.all()]


def test_keeps_the_newest_and_the_best(run: RunDirectory) -> None:
    store = store_of(run)
    save(store, step10=0.3, step20=0.2, step30=0.25, step40=0.4, step50=None)
    assert steps(store) == [20, 40, 50]
    assert store.best() is not None
    assert store.best().step == 20


def test_higher_is_better_for_accuracy(run: RunDirectory) -> None:
    store = store_of(run, keep_last=1, best_metric="accuracy")
    save(store, step1=0.5, step2=0.7, step3=0.6)
    assert steps(store) == [2, 3]


def test_what_was_best_is_known_after_a_restart(run: RunDirectory) -> None:
    save(store_of(run), step1=0.1, step2=0.5, step3=0.5, step4=0.5)
    again = store_of(run)
    save(again, step5=0.5)
    assert steps(again) == [1, 4, 5]


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda step: shutil.rmtree(step / "model"), "it has no model export"),
        (lambda step: (step / "weights").write_bytes(b"12"), "weights has 2 bytes instead of 4"),
        (
            lambda step: (step / "model/model.safetensors").write_bytes(b"56"),
            "model/: model.safetensors has 2 bytes instead of 4",
        ),
        (lambda step: (step / "model/manifest.json").unlink(), "model/: "),
    ],
)
def test_latest_passes_over_damaged_ones(
    run: RunDirectory, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], object], what: str
) -> None:
    store = store_of(run, keep_last=3)
    save(store, step1=None, step2=None, step3=None)
    damage(run.checkpoints / "step-000002")
    damage(run.checkpoints / "step-000003")
    with caplog.at_level(logging.WARNING):
        latest = store.latest()
    assert latest is not None
    assert latest.step == 1
    assert f"step-000002 is damaged and passed over: {what}" in caplog.text
    assert f"step-000003 is damaged and passed over: {what}" in caplog.text
    store.drop_after(1)
    assert steps(store) == [1]


def test_a_checkpoint_written_where_the_driver_cannot_see_it_ends_the_run(run: RunDirectory, tmp_path: Path) -> None:
    class OnAnotherNode(FakeLearner):
        def export_hf(self, directory: Path) -> None:
            (tmp_path / directory.name).mkdir()

    with pytest.raises(RunError, match=r"run\.root = .*step 7, but on this machine it is not there\. .*all nodes"):
        store_of(run).save(7, OnAnotherNode(), None)  # type: ignore[arg-type]


def test_no_checkpoint_yet_is_a_fresh_start_but_only_damaged_ones_are_an_error(run: RunDirectory) -> None:
    store = store_of(run)
    assert store.latest() is None
    save(store, step1=None)
    (run.checkpoints / "step-000001" / "weights").unlink()
    with pytest.raises(RunError, match="every checkpoint of the run is damaged"):
        store.latest()
