"""An ablation on the real engines, as a user starts it: killed in its second run, and repeated."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import write_vecbench
from emocal_rl.platform.runs.directory import RunDirectory, iterate_runs
from emocal_rl.platform.runs.journal import read_journal
from emocal_rl.platform.runs.manifest import read_manifest

pytestmark = [pytest.mark.ray, pytest.mark.slow]

NUM_STEPS = 4
SETTINGS: dict[str, Any] = {
    "calibration.num_steps": NUM_STEPS,
    "calibration.prompts_per_step": 4,
    "calibration.group_size": 2,
    "calibration.save_every": 1,
    "calibration.eval_every": 0,
    "evaluation.greedy": "false",
    "evaluation.sampling.max_new_tokens": 12,
    "alarms.cold_start_answers": "false",
    "rollout.sampling.max_new_tokens": 12,
    "rollout.max_model_len": 256,
    "learner.num_threads": 1,
    "cluster.num_cpus": 4,
}


@pytest.fixture
def arguments(tiny_policy: Path, face_image: bytes, tmp_path: Path) -> list[str]:
    (tmp_path / "face.png").write_bytes(face_image)
    labels = ("amusement", "anger", "awe", "contentment", "disgust", "excitement", "fear", "sadness")

    def samples(count: int, prefix: str) -> list[Sample]:
        image = (str(tmp_path / "face.png"),)
        return [Sample(f"{prefix}-{i}", image, f"Which emotion, {i}?", labels, labels[i], "FI-8") for i in range(count)]

    write_vecbench(str(tmp_path / "train.jsonl"), samples(8, "train"))
    write_vecbench(str(tmp_path / "test.jsonl"), samples(5, "test"))
    # Relative paths: a trial must mean by them what the user does.
    data = {"model.path": tiny_policy, "data.train": "train.jsonl", "data.eval": "test.jsonl"}
    return [part for key, value in {**SETTINGS, **data}.items() for part in ("--set", f"{key}={value}")]


def start(folder: Path, arguments: list[str]) -> subprocess.Popen[str]:
    grid = ["--grid", "advantage.normalize=false,true", "--seeds", "1"]
    command = [sys.executable, "-m", "emocal_rl.cli.main", "ablate", "--root", "runs", *grid, *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=folder
    )


def wait_for_step(process: subprocess.Popen[str], folder: Path, run: str, step: int, timeout_s: float = 400.0) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        found = next(iterate_runs(folder / "runs"), None)
        if found and any(row["step"] >= step for row in read_journal(RunDirectory(found.path / run), "train")):
            return
        time.sleep(0.1)
    pytest.fail(f"step {step} of {run} was not reached in {timeout_s:g} s")


def test_a_killed_ablation_repeated_finishes_what_was_left(arguments: list[str], tmp_path: Path) -> None:
    process = start(tmp_path, arguments)
    wait_for_step(process, tmp_path, "02-normalize-true-seed-0", 2)
    left = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(left, timeout=20)
    assert alive == []
    ablation = next(iterate_runs(tmp_path / "runs")).path
    first, second = (RunDirectory(ablation / f"{name}-seed-0") for name in ("01-normalize-false", "02-normalize-true"))
    assert read_manifest(first.manifest)["status"] == "finished"
    stood = first.manifest.read_bytes()

    repeated = start(tmp_path, arguments)
    printed, _ = repeated.communicate(timeout=600)
    assert repeated.returncode == 0, printed
    assert f"Continuing runs/{ablation.name}" in printed
    assert len(list(iterate_runs(tmp_path / "runs"))) == 1
    assert first.manifest.read_bytes() == stood
    manifest = read_manifest(second.manifest)
    assert (manifest["status"], [each["status"] for each in manifest["earlier"]]) == ("finished", ["interrupted"])
    for run in (first, second):
        assert [row["step"] for row in read_journal(run, "train")] == list(range(1, NUM_STEPS + 1))
        assert (run.evaluations / "after_sampled.json").exists()
    (resumed,) = [row for row in read_journal(second, "event") if row["name"] == "resume"]
    assert resumed["message"] != "continuing after step 0"
    befores = [(run.evaluations / "before_sampled.jsonl").read_bytes() for run in (first, second)]
    assert befores[0] == befores[1]
    journal = json.loads((ablation / "ablation.json").read_text())
    assert [run["state"] for run in journal["runs"]] == ["finished", "finished"]
    assert "normalize=true: no prediction, the model it starts from states no confidence" in printed
    assert "Stage 3 (the paper's Table 9)" in printed
    assert (ablation / "report.html").stat().st_size > 20_000
