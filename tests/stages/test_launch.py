"""The whole job on the real engines, as a user starts it, with deaths on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import read_predictions, write_vecbench
from emocal_rl.platform.runs.directory import RunDirectory, iterate_runs
from emocal_rl.platform.runs.journal import read_journal
from emocal_rl.platform.runs.samples import read_samples

pytestmark = [pytest.mark.ray, pytest.mark.slow]

NUM_STEPS, PROMPTS, GROUP = 5, 4, 2
SETTINGS: dict[str, Any] = {
    "calibration.prompts_per_step": PROMPTS,
    "calibration.group_size": GROUP,
    "calibration.save_every": 2,
    "calibration.eval_every": 0,
    "evaluation.sampling.max_new_tokens": 12,
    "rollout.sampling.max_new_tokens": 12,
    "rollout.max_model_len": 256,
    "learner.num_threads": 1,
    "learner.optimizer.learning_rate": 1e-4,
    "cluster.num_cpus": 4,
}


@dataclass(frozen=True)
class Job:
    """One launch of the command line in a process of its own."""

    root: Path
    process: subprocess.Popen[str]

    @property
    def run(self) -> RunDirectory | None:
        return next(iterate_runs(self.root), None)

    def wait_for_step(self, step: int, timeout_s: float = 300.0) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.communicate()[0]
            if self.run and any(row.get("step", 0) >= step for row in read_journal(self.run, "train")):
                return
            time.sleep(0.1)
        pytest.fail(f"step {step} was not reached in {timeout_s:g} s")

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def emocal_rl(root: Path, *arguments: str) -> Job:
    command = [sys.executable, "-m", "emocal_rl.cli.main", "launch", "--root", str(root), *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=root.parent
    )
    return Job(root, process)


@pytest.fixture(scope="module")
def arguments(tiny_policy: Path, face_image: bytes, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("data")
    (folder / "face.png").write_bytes(face_image)
    labels = ("amusement", "anger", "awe", "fear")

    def samples(count: int, prefix: str) -> list[Sample]:
        image = str(folder / "face.png")
        return [
            Sample(f"{prefix}-{i}", (image,), f"Which emotion, {i}?", labels, labels[i % 4], "FI-8")
            for i in range(count)
        ]

    write_vecbench(str(folder / "train.jsonl"), samples(12, "train"))
    write_vecbench(str(folder / "test.jsonl"), samples(5, "test"))
    sets = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
    data = ["--data", str(folder / "train.jsonl"), "--eval-data", str(folder / "test.jsonl")]
    return ["--model", str(tiny_policy), *data, "--steps", str(NUM_STEPS), *sets]


@pytest.fixture(scope="module")
def finished(arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, str]:
    """An undisturbed run and what it printed."""
    job = emocal_rl(tmp_path_factory.mktemp("work") / "runs", *arguments)
    printed, _ = job.process.communicate(timeout=600)
    assert job.process.returncode == 0, printed
    return job, printed


def prompts_by_step(run: RunDirectory) -> dict[int, list[str]]:
    return {step: [row["sample_id"] for row in read_samples(run, step)] for step, _ in run.list_samples()}


def test_a_run_ends_with_table_report_journal_and_a_model(finished: tuple[Job, str]) -> None:
    job, printed = finished
    run = job.run
    assert run is not None
    assert "Cold start" in printed
    assert "Calibrated" in printed
    assert f"Report: {run.report}" in printed
    assert run.report.stat().st_size > 10_000
    assert json.loads(run.manifest.read_text())["status"] == "finished"

    rows = list(read_journal(run, "train"))
    assert [row["step"] for row in rows] == list(range(1, NUM_STEPS + 1))
    assert [row["weight_version"] for row in rows] == list(range(1, NUM_STEPS + 1))
    assert all(row["loss/logprob_mismatch"] < 1e-4 for row in rows)
    assert [event["message"].startswith("step 1:") for event in read_journal(run, "event")] == [True]

    steps = prompts_by_step(run)
    assert list(steps) == list(range(1, NUM_STEPS + 1))
    assert all(len(ids) == PROMPTS * GROUP and len(set(ids)) == PROMPTS for ids in steps.values())
    assert {row["weight_version"] for row in read_samples(run, 3)} == {2}
    assert [path.name for path in run.list_checkpoints()] == ["step-000004", "step-000005"]


def test_every_checkpoint_is_a_plain_hugging_face_model(finished: tuple[Job, str]) -> None:
    from emocal_rl.actors.rollout.torchvision_shim import prepare_imports

    prepare_imports()
    from transformers import AutoModelForImageTextToText, AutoProcessor

    run = finished[0].run
    assert run is not None
    for checkpoint in run.list_checkpoints():
        model = AutoModelForImageTextToText.from_pretrained(checkpoint / "model")
        assert sum(parameter.numel() for parameter in model.parameters()) > 900_000
        assert AutoProcessor.from_pretrained(checkpoint / "model").tokenizer.eos_token == "<|im_end|>"


def test_the_exported_model_gives_the_runs_greedy_answers_in_plain_transformers(
    finished: tuple[Job, str], face_image: bytes, plain_transformers: Callable[[Path], Any]
) -> None:
    run = finished[0].run
    assert run is not None
    answer, differing = plain_transformers(run.path / "model"), []
    predictions = list(read_predictions(str(run.evaluations / "after_greedy.jsonl")))
    for prediction in predictions:
        text, margin = answer(prediction, face_image, SETTINGS["evaluation.sampling.max_new_tokens"])
        if prediction.response != text:
            differing.append(margin)
    assert len(predictions) == 5
    assert all(margin < 1e-4 for margin in differing)  # near-ties, which rounding decides
    assert len(differing) <= 1


def test_deaths_cost_retries_and_resuming_repeats_nothing(
    finished: tuple[Job, str], arguments: list[str], tmp_path: Path
) -> None:
    job = emocal_rl(tmp_path / "runs", *arguments)
    job.wait_for_step(1)
    workers = [p for p in job.descendants() if "RolloutWorker" in " ".join([p.name(), *p.cmdline()])]
    scoring = [p for p in job.descendants() if "scoring_process" in " ".join(p.cmdline())]
    assert len(workers) == 1
    assert len(scoring) == 1
    for process in (*workers, *scoring):
        process.kill()
    job.wait_for_step(3)

    left = job.descendants()
    job.process.send_signal(signal.SIGKILL)
    job.process.wait()
    _, alive = psutil.wait_procs(left, timeout=20)
    assert alive == []

    resumed = emocal_rl(tmp_path / "runs", "--resume", "latest")
    printed, _ = resumed.process.communicate(timeout=600)
    assert resumed.process.returncode == 0, printed
    run, undisturbed = resumed.run, finished[0].run
    assert run is not None
    assert undisturbed is not None
    assert [row["step"] for row in read_journal(run, "train")] == list(range(1, NUM_STEPS + 1))
    assert prompts_by_step(run) == prompts_by_step(undisturbed)
    assert all(row["rollout/masked"] == 0 for row in read_journal(run, "train"))
    manifest = json.loads(run.manifest.read_text())
    assert manifest["status"] == "finished"
    assert [attempt["status"] for attempt in manifest["earlier"]] == ["interrupted"]
