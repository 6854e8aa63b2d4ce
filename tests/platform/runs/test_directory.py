import subprocess
import sys
import time
from pathlib import Path

import pytest

from emocal_rl.platform.errors import RunError
from emocal_rl.platform.runs.directory import RunDirectory, find_run


def make_run(root: Path, name: str = "test") -> RunDirectory:
    run = RunDirectory.create(root, name)
    run.config.write_text("{}")
    return run


def test_create_makes_the_folders_and_a_dated_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "strftime", lambda *_: "20260102-030405")
    with RunDirectory.create(tmp_path / "runs", "a.b-c") as run:
        assert run.name == "a.b-c-20260102-030405"
        assert sorted(path.name for path in run.path.iterdir()) == ["checkpoints", "eval", "lock", "samples"]
    names = [RunDirectory.create(tmp_path / "runs", "a.b-c").name for _ in range(2)]
    assert names == ["a.b-c-20260102-030405-2", "a.b-c-20260102-030405-3"]


def test_who_works_elsewhere_is_told_the_same_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with make_run(Path("runs")) as run:
        assert run.path.parent == tmp_path / "runs"
        with RunDirectory.at(Path(f"runs/{run.name}/reasoning")) as stage:
            assert stage.checkpoints == run.path / "reasoning" / "checkpoints"
    with RunDirectory.open(f"runs/{run.name}") as again:
        assert again == run


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "-x", "a b", "x" * 101, "é"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match=r"run.name = .*must be letters, digits"):
        RunDirectory.create(tmp_path, name)


def test_a_root_that_cannot_hold_folders_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"run.root = .*cannot hold run directories: (File exists|Not a directory)"):
        RunDirectory.create(tmp_path / "file", "a")


def test_two_runs_never_share_a_directory(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    with pytest.raises(RunError, match=r"is in use by process \d+ on .+ since .+\. Wait for it to end, or stop it\."):
        RunDirectory.open(run.path)
    assert RunDirectory(run.path).lock.is_held()
    run.close()
    assert not run.lock.is_held()
    RunDirectory.open(run.path).close()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    run.close()
    code = (
        "import sys, time\nfrom emocal_rl.platform.runs.directory import RunDirectory\n"
        "run = RunDirectory.open(sys.argv[1])\nprint('held', flush=True)\ntime.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(run.path)], stdout=subprocess.PIPE, text=True, cwd="/")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RunError, match=f"is in use by process {holder.pid} on"):
        RunDirectory.open(run.path)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert run.lock.path.read_text().startswith(f"process {holder.pid}")
    RunDirectory.open(run.path).close()


def test_a_folder_without_config_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run directory"):
        RunDirectory.open(tmp_path)


def test_find_run_takes_path_name_and_latest(tmp_path: Path) -> None:
    first, second = make_run(tmp_path, "first"), make_run(tmp_path, "second")
    second.config.touch()
    assert find_run(str(first.path), "elsewhere") == first
    assert find_run(first.name, tmp_path).path == first.path
    assert find_run("latest", tmp_path).path == second.path
    with pytest.raises(RunError, match=rf"Did you mean '{first.name}'\?"):
        find_run(first.name[:-1] + "x", tmp_path)
    with pytest.raises(RunError, match="runs list"):
        find_run("latest", tmp_path / "empty")


def test_checkpoints_and_samples_are_listed_by_step(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    for name in ("step-000100", "step-000020", ".step-000120.tmp", "best"):
        (run.checkpoints / name).mkdir()
    for name in ("step-000002.parquet", "step-000010.parquet", ".step-000011.parquet.1.tmp"):
        (run.samples / name).write_text("")
    assert [path.name for path in run.list_checkpoints()] == ["step-000020", "step-000100"]
    assert [step for step, _ in run.list_samples()] == [2, 10]
