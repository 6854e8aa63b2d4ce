import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emocal_rl.platform.runs.directory import RunDirectory, iterate_runs
from emocal_rl.platform.runs.journal import read_journal
from emocal_rl.platform.runs.manifest import read_manifest


@dataclass(frozen=True)
class RunSummary:
    """One line of `runs list`. Metrics are those of the last validation, or of the last training step before one."""

    name: str
    path: str
    status: str
    """running, finished, stopped (by an alarm), failed, interrupted (a run that says running but holds no lock was
    killed), or unknown."""
    started_at: float | None
    duration_s: float | None
    num_steps: int
    accuracy: float | None
    ece: float | None
    brier: float | None
    mean_confidence: float | None
    checkpoints: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {**asdict(self), "checkpoints": list(self.checkpoints)}


def summarize_run(run: RunDirectory) -> RunSummary:
    """Read what a run's files say about it; missing files leave fields empty."""
    manifest = read_manifest(run.manifest)
    status = manifest.get("status", "unknown")
    if status == "running" and not run.lock.is_held():
        status = "interrupted"
    train: dict[str, Any] = {}
    validation: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for row in read_journal(run):
        if row["kind"] == "train":
            train = row
        elif row["kind"] == "validation":
            validation = row
        if row["kind"] in ("train", "sft"):
            last = row
    metrics = validation or {name.removeprefix("rollout/"): value for name, value in train.items()}
    started_at = manifest.get("started_at")
    end = manifest.get("finished_at") or (time.time() if status == "running" else last.get("time"))
    return RunSummary(
        name=run.name,
        path=str(run.path),
        status=status,
        started_at=started_at,
        duration_s=end - started_at if started_at and end else None,
        num_steps=last.get("step", 0),
        accuracy=metrics.get("accuracy"),
        ece=metrics.get("ece"),
        brier=metrics.get("brier"),
        mean_confidence=metrics.get("mean_confidence"),
        checkpoints=tuple(path.name for path in run.list_checkpoints()),
    )


def list_runs(root: str | Path) -> list[RunSummary]:
    """Summarise the runs under `root`, newest first."""
    return sorted((summarize_run(run) for run in iterate_runs(root)), key=lambda run: run.started_at or 0, reverse=True)
