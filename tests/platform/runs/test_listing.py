import json
from pathlib import Path

from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import Journal
from emocal_rl.platform.runs.listing import list_runs, summarize_run
from emocal_rl.platform.runs.manifest import Manifest


def make_run(root: Path, name: str) -> RunDirectory:
    run = RunDirectory.create(root, name)
    run.config.write_text("{}")
    return run


def test_a_finished_run(tmp_path: Path) -> None:
    with make_run(tmp_path, "a") as run, Manifest(run.manifest, seeds={}), Journal(run) as journal:
        journal.append("train", {"rollout/ece": 0.3}, step=19)
        journal.append("validation", {"accuracy": 0.5, "ece": 0.1, "brier": 0.2, "mean_confidence": 0.4}, step=20)
        journal.append("train", {"rollout/ece": 0.2}, step=20)
        (run.checkpoints / "step-000020").mkdir()
    summary = summarize_run(run)
    assert (summary.status, summary.num_steps, summary.ece, summary.accuracy) == ("finished", 20, 0.1, 0.5)
    assert summary.checkpoints == ("step-000020",)
    assert json.loads(json.dumps(summary.to_dict()))["brier"] == 0.2


def test_without_validation_the_last_training_step_counts(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    with Journal(run) as journal:
        journal.append("train", {"rollout/ece": 0.3}, step=1)
    assert summarize_run(run).ece == 0.3


def test_a_run_that_says_running_without_a_lock_was_killed(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    Manifest(run.manifest, seeds={})
    assert summarize_run(run).status == "running"
    run.close()
    assert summarize_run(run).status == "interrupted"


def test_runs_are_listed_newest_first_and_other_folders_ignored(tmp_path: Path) -> None:
    for name in ("old", "new"):
        Manifest(make_run(tmp_path, name).manifest, seeds={})
    (tmp_path / "notes").mkdir()
    make_run(tmp_path, "bare").close()
    assert [run.name.split("-")[0] for run in list_runs(tmp_path)] == ["new", "old", "bare"]
    assert list_runs(tmp_path)[-1].status == "unknown"
    assert list_runs(tmp_path / "none") == []
