import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import Journal, read_journal


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    with RunDirectory.create(tmp_path, "test") as made:
        yield made


def test_rows_are_read_back_by_kind(run: RunDirectory) -> None:
    with Journal(run) as journal:
        row = journal.append("train", {"loss/kl": np.float32(0.5), "rollout/auc": float("nan"), "masked": 0}, step=1)
        journal.append("validation", {"ece": 0.1}, step=1)
        journal.event("restart", "rollout worker 0")
    assert row == {"kind": "train", "time": row["time"], "step": 1, "loss/kl": 0.5, "rollout/auc": None, "masked": 0}
    assert list(read_journal(run, "train")) == [row]
    assert [found["kind"] for found in read_journal(run)] == ["train", "validation", "event"]
    assert all(json.loads(line) for line in run.metrics.read_text().splitlines())


@pytest.mark.parametrize(
    ("tail", "steps"),
    [('{"kind": "train", "st', [1]), ('{"kind": "train", "step": 2}', [1, 2]), ("\0\0\0", [1]), ("\ufffd", [1])],
)
def test_a_torn_last_line_is_repaired_on_open(run: RunDirectory, tail: str, steps: list[int]) -> None:
    run.metrics.write_text('{"kind": "train", "step": 1}\n' + tail)
    assert [row["step"] for row in read_journal(run)] == steps
    with Journal(run) as journal:
        journal.append("train", {}, step=9)
    assert [row["step"] for row in read_journal(run)] == [*steps, 9]
    assert all(json.loads(line) for line in run.metrics.read_text().splitlines())


def test_truncation_forgets_what_a_resumed_run_writes_again(run: RunDirectory) -> None:
    with Journal(run) as journal:
        journal.append("sft", {"stage": "reasoning", "loss": 1.0}, step=50)
        for step in (1, 2, 3, 4):
            journal.append("train", {}, step=step)
            (run.samples / f"step-{step:06d}.parquet").write_text("")
        journal.append("validation", {}, step=4)
        journal.event("crash", "lost")
        journal.truncate_after(2)
        journal.append("train", {}, step=3)
    assert [(row["kind"], row.get("step")) for row in read_journal(run)] == [
        ("sft", 50), ("train", 1), ("train", 2), ("event", None), ("train", 3)
    ]  # fmt: skip
    assert [step for step, _ in run.list_samples()] == [1, 2]


def test_no_journal_is_no_rows(run: RunDirectory) -> None:
    assert list(read_journal(run)) == []


def test_a_supervised_run_forgets_its_own_kind_of_rows(run: RunDirectory) -> None:
    with Journal(run) as journal:
        for step in (1, 2, 3):
            journal.append("sft", {"stage": "reasoning", "loss": 1.0}, step=step)
        journal.truncate_after(2, ("sft",))
    assert [row["step"] for row in read_journal(run)] == [1, 2]
