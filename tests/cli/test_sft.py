"""What `sft` refuses before anything starts, and that nothing is left behind."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.config.load import dump_config, resolve_config
from emocal_rl.platform.errors import ConfigError, DataError, ModelError, RunError
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.manifest import Manifest

ANSWER = "<answer>awe</answer>"


def invoke(*arguments: object) -> list[str]:
    result = CliRunner().invoke(app, ["sft", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def write_rows(path: Path, *responses: str, image: str = "face.png") -> Path:
    user = {"role": "user", "content": "<image>Which emotion?"}
    rows = [
        {"messages": [user, {"role": "assistant", "content": text}], "images": [image], "ground_truth": "awe"}
        for text in responses
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def folder(tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a picture, three rows, and files that pass for a checkpoint."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (56, 56)).save(tmp_path / "face.png")
    write_rows(tmp_path / "rows.jsonl", ANSWER, ANSWER, ANSWER)
    return tmp_path


def refused(folder: Path, error: type[Exception], message: str, *arguments: object) -> None:
    with pytest.raises(error, match=message):
        invoke(*arguments)
    assert not (folder / "runs").exists()


def test_model_and_data_must_be_named(folder: Path) -> None:
    refused(folder, ConfigError, r"--model: is missing", "reasoning")
    refused(folder, ConfigError, r"--model M --data F", "reasoning", "--data", "rows.jsonl")
    refused(folder, ConfigError, r"--model M --data F", "reasoning", "--model", "model")


def test_a_checkpoint_must_be_there_and_whole(folder: Path) -> None:
    data = ("--data", "rows.jsonl")
    refused(folder, ModelError, r"nowhere': no such directory", "reasoning", "--model", "./nowhere", *data)
    (folder / "model" / "model.safetensors").unlink()
    refused(folder, ModelError, r"the checkpoint has no weights", "reasoning", "--model", "model", *data)


@pytest.mark.parametrize("option", ["--data", "--eval-data"])
def test_the_first_bad_row_is_named(folder: Path, option: str) -> None:
    files = {"--data": "rows.jsonl", option: "bad.jsonl"}
    arguments = ["reasoning", "--model", "model", *(part for pair in files.items() for part in pair)]
    refused(folder, DataError, r"bad.jsonl: there is no such file", *arguments)
    write_rows(folder / "bad.jsonl", ANSWER, " ")
    refused(folder, DataError, r"bad.jsonl:2 messages.*must not be empty", *arguments)
    write_rows(folder / "bad.jsonl", ANSWER, ANSWER, image="nowhere.png")
    refused(folder, DataError, r"bad.jsonl:1 image = '.*nowhere.png': there is no such file", *arguments)


def test_stage_2_needs_a_confidence_to_train_on(folder: Path) -> None:
    message = r"rows.jsonl:1 response.*exactly one <confidence>"
    refused(folder, DataError, message, "confidence", "--model", "model", "--data", "rows.jsonl")


def test_a_dry_run_reads_everything_and_leaves_nothing(folder: Path) -> None:
    lines = invoke("reasoning", "--model", "model", "--data", "rows.jsonl", "--eval-data", "rows.jsonl", "--dry-run")
    (data,) = [line for line in lines if line.startswith("data ")]
    assert data.endswith("rows.jsonl: 3 demonstrations, 3 for the evaluation loss")
    assert not (folder / "runs").exists()


def begun(path: Path, stage: str, flags: dict[str, Any] | None = None) -> Path:
    """A run directory as a command leaves it that has been killed."""
    with RunDirectory.at(path) as directory:
        directory.config.write_text(dump_config(resolve_config(overrides=flags or {})))
        Manifest(directory.manifest, seeds={}, stage=stage)
    return path


def test_a_run_is_continued_by_the_command_that_began_it(folder: Path) -> None:
    run = begun(folder / "runs" / "confidence-1", "confidence")
    with pytest.raises(RunError, match=rf"was begun by `emocal-rl sft confidence`.*sft confidence --resume {run}"):
        invoke("reasoning", "--resume", run)
    begun(folder / "runs" / "run-1", "calibration")
    with pytest.raises(RunError, match=r"was begun by `emocal-rl launch`.*emocal-rl launch --resume runs/run-1"):
        invoke("reasoning", "--resume", "run-1")


def test_a_resumed_run_keeps_its_settings(folder: Path) -> None:
    run = begun(folder / "runs" / "reasoning-1", "reasoning")
    with pytest.raises(RunError, match=r"keeps its configuration but for alarms\.\*, yet data.train was given"):
        invoke("reasoning", "--resume", run, "--data", "rows.jsonl")
    with pytest.raises(RunError, match=r"no run of this name in runs"):
        invoke("reasoning", "--resume", "reasoning-2")


def test_the_other_stage_does_not_continue_a_run_of_the_same_name_and_settings(folder: Path) -> None:
    write_rows(folder / "rows.jsonl", ANSWER + "<confidence>0.5</confidence>")
    flags = {"model.path": "model", "data.train": "rows.jsonl", "run.name": "mine"}
    run = begun(folder / "runs" / "mine-1", "confidence", flags)
    with pytest.raises(RunError, match=r"mine-1': is an unfinished run of stage confidence. Say `emocal-rl sft conf"):
        invoke("reasoning", "--model", "model", "--data", "rows.jsonl", "--name", "mine")
    assert [path.name for path in run.parent.iterdir()] == ["mine-1"]
