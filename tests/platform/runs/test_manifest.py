import json
import subprocess
from pathlib import Path

import pytest

from emocal_rl.platform.runs import manifest
from emocal_rl.platform.runs.manifest import Manifest, read_manifest


def test_a_manifest_says_what_the_run_depends_on(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    with Manifest(path, seeds={"run": 3}, command=["emocal-rl", "launch"]) as started:
        assert read_manifest(path)["status"] == "running"
        started.add_hashes({"model": "abc"})
        started.add_hashes({"data.train": "def"})
    values = read_manifest(path)
    assert values["status"] == "finished"
    assert values["command"] == ["emocal-rl", "launch"]
    assert values["seeds"] == {"run": 3}
    assert values["hashes"] == {"model": "abc", "data.train": "def"}
    assert values["finished_at"] >= values["started_at"]
    assert values["packages"]["pydantic"].startswith("2.")
    assert values["host"]["num_cpus"] >= 1
    assert values["host"]["memory_gib"] > 0
    assert values["earlier"] == []


@pytest.mark.parametrize(
    ("raised", "status", "message"),
    [(KeyboardInterrupt(), "interrupted", None), (ValueError("bad"), "failed", "ValueError: bad")],
)
def test_the_end_is_recorded(tmp_path: Path, raised: BaseException, status: str, message: str | None) -> None:
    path = tmp_path / "manifest.json"
    with pytest.raises(type(raised)), Manifest(path, seeds={}):
        raise raised
    assert (read_manifest(path)["status"], read_manifest(path)["error"]) == (status, message)


def test_a_resumed_run_keeps_its_earlier_attempts(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    Manifest(path, seeds={}, command=["first"])  # killed: it never says how it ended
    with Manifest(path, seeds={}, command=["second"]):
        pass
    with Manifest(path, seeds={}, command=["third"]):
        pass
    assert [(one["command"], one["status"]) for one in read_manifest(path)["earlier"]] == [
        (["first"], "interrupted"),
        (["second"], "finished"),
    ]


def test_an_attempt_that_dies_early_forgets_no_hash(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    Manifest(path, seeds={}, stage="reasoning").add_hashes({"data.train": "abc", "model": "m"})
    Manifest(path, seeds={}, stage="reasoning")
    Manifest(path, seeds={}, stage="reasoning").add_hashes({"model": "n"})
    values = read_manifest(path)
    assert (values["hashes"], values["stage"]) == ({"data.train": "abc", "model": "n"}, "reasoning")


def test_a_missing_or_broken_manifest_is_empty(tmp_path: Path) -> None:
    assert read_manifest(tmp_path / "none.json") == {}
    (tmp_path / "broken.json").write_text("{")
    assert read_manifest(tmp_path / "broken.json") == {}
    (tmp_path / "list.json").write_text("[]")
    assert read_manifest(tmp_path / "list.json") == {}


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_git_state_is_that_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "manifest.py"
    module.write_text("1")
    monkeypatch.setattr(manifest, "__file__", str(module))
    assert manifest.git_state() is None
    git(tmp_path, "init", "-q")
    assert manifest.git_state() is None  # a file nobody tracks: an environment inside somebody else's repository
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "x")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert manifest.git_state() == {"commit": head, "dirty": False}
    module.write_text("2")
    assert manifest.git_state() == {"commit": head, "dirty": True}


def test_gpu_names_come_from_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert manifest.gpu_names() == []
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho NVIDIA H200\necho NVIDIA H200\n")
    tool.chmod(0o755)
    assert manifest.gpu_names() == ["NVIDIA H200", "NVIDIA H200"]
    tool.write_text("#!/bin/sh\necho No devices were found\nexit 6\n")
    assert manifest.gpu_names() == []


def test_the_file_is_plain_json(tmp_path: Path) -> None:
    Manifest(tmp_path / "manifest.json", seeds={"run": 0})
    assert json.loads((tmp_path / "manifest.json").read_text())["seeds"] == {"run": 0}
