import json
import os
from pathlib import Path

from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.unfinished import find_unfinished


def make_run(root: Path, name: str, config: str, status: str, *, age_s: int = 0) -> RunDirectory:
    with RunDirectory.create(root, name) as run:
        run.config.write_text(config)
        run.manifest.write_text(json.dumps({"status": status}))
        written_s = run.config.stat().st_mtime - age_s
        os.utime(run.config, (written_s, written_s))
    return run


def test_the_newest_run_of_the_same_command_that_did_not_finish(tmp_path: Path) -> None:
    make_run(tmp_path, "reasoning", "seed: 0", "interrupted", age_s=60)
    killed = make_run(tmp_path, "reasoning", "seed: 0", "running", age_s=30)
    make_run(tmp_path, "reasoning", "seed: 0", "finished")
    make_run(tmp_path, "reasoning", "seed: 1", "failed")
    make_run(tmp_path, "confidence", "seed: 0", "failed")
    assert find_unfinished(tmp_path, "reasoning", "seed: 0") == RunDirectory(killed.path)


def test_a_run_that_some_process_works_on_is_left_alone(tmp_path: Path) -> None:
    run = make_run(tmp_path, "reasoning", "seed: 0", "running")
    with RunDirectory.open(run.path):
        assert find_unfinished(tmp_path, "reasoning", "seed: 0") is None
    assert find_unfinished(tmp_path, "none", "seed: 0") is None
