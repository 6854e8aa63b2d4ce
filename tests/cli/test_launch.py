"""What `launch` refuses before anything starts, and that nothing is left behind."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from emocal_rl.actors.learner import lora
from emocal_rl.cli.main import app
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import write_vecbench
from emocal_rl.platform.errors import ConfigError, DataError

LABELS = ("amusement", "anger", "awe", "fear")


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sample]:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (56, 56)).save(tmp_path / "face.png")
    image = str(tmp_path / "face.png")
    return [Sample(str(n), (image,), "Which emotion?", LABELS, LABELS[n % 4], "FI-8") for n in range(8)]


def refused(error: type[Exception], message: str, checkpoint: Path, *arguments: str) -> None:
    command = ["launch", "--model", str(checkpoint), "--data", "train.jsonl", *arguments]
    command += ["--set", "calibration.prompts_per_step=8", "--set", "calibration.num_mini_batches=2"]
    with pytest.raises(error, match=message):
        CliRunner().invoke(app, command, catch_exceptions=False)
    assert not Path("runs").exists()


@pytest.mark.parametrize("file", ["train.jsonl", "test.jsonl"])
def test_a_missing_image_is_found_before_a_run_is_made(samples: list[Sample], checkpoint: Path, file: str) -> None:
    write_vecbench("train.jsonl", samples)
    write_vecbench("test.jsonl", samples)
    write_vecbench(file, [*samples[:7], replace(samples[7], images=("nowhere.png",))])
    message = rf"{file}:8 image = '.*nowhere.png': there is no such file"
    refused(DataError, message, checkpoint, "--eval-data", "test.jsonl")


@pytest.mark.parametrize("extra", [("--dry-run",), ()])
def test_adapters_need_peft(
    samples: list[Sample], checkpoint: Path, monkeypatch: pytest.MonkeyPatch, extra: tuple[str, ...]
) -> None:
    write_vecbench("train.jsonl", samples)
    monkeypatch.setattr(lora, "find_spec", lambda _: None)
    message = r"learner.lora.rank: the package peft is not installed"
    refused(ConfigError, message, checkpoint, "--eval-data", "train.jsonl", "--set", "learner.lora.rank=8", *extra)


def test_a_step_needs_enough_prompts(samples: list[Sample], checkpoint: Path) -> None:
    write_vecbench("train.jsonl", samples[:7])
    message = r"prompts_per_step = 8: must not exceed the number of training prompts, 7"
    refused(ConfigError, message, checkpoint, "--eval-data", "train.jsonl")


def test_the_plan_says_in_a_line_what_the_audit_says(samples: list[Sample], checkpoint: Path) -> None:
    write_vecbench("train.jsonl", samples)
    command = ["launch", "--model", str(checkpoint), "--data", "train.jsonl", "--eval-data", "train.jsonl", "--dry-run"]
    command += ["--set", "calibration.prompts_per_step=8", "--set", "calibration.num_mini_batches=2"]
    for arguments, verdict in (
        ([], "proper; raw advantages follow it; a decoy pays below p = 0.51 with 8 classes"),
        (
            ["--reward", "brier", "--normalize"],
            "proper; normalised advantages polarise confidence where a group shares its answer; "
            "no decoy with 8 classes",
        ),
    ):
        printed = CliRunner().invoke(app, [*command, *arguments], catch_exceptions=False).output
        assert [line for line in printed.splitlines() if line.startswith("audit ")] == [f"audit    {verdict}"]
    assert not Path("runs").exists()
