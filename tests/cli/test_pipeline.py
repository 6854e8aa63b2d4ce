import io
import json
from pathlib import Path

import pytest
import typer
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from emocal_rl.cli.evolvement_table import print_evolvement
from emocal_rl.cli.pipeline import pipeline
from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.errors import ConfigError, DataError, RunError

MIKELS8 = ("amusement", "anger", "awe", "contentment", "disgust", "excitement", "fear", "sadness")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    Image.new("RGB", (56, 56)).save(tmp_path / "face.png")
    image = (str(tmp_path / "face.png"),)
    samples = [Sample(str(n), image, "Which?", MIKELS8, "awe", "FI-8") for n in range(130)]
    write_vec_cot(str(tmp_path / "rows.jsonl"), [DemonstrationSample(sample, "awe") for sample in samples])
    stages = ("reasoning", "confidence", "calibration", "evaluation")
    return [part for stage in stages for part in (f"--{stage}-data", str(tmp_path / "rows.jsonl"))]


def dry_run(*arguments: str) -> list[str]:
    app = typer.Typer()
    app.command()(pipeline)
    done = CliRunner().invoke(app, [*arguments, "--dry-run"], catch_exceptions=False, env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    return [" ".join(line.split()) for line in done.output.splitlines() if line.strip()]


def test_a_dry_run_shows_placement_and_memory_of_every_stage(files: list[str]) -> None:
    lines = dry_run("--config", "emocaliber-7b", "--model", "Qwen/Qwen2.5-VL-7B-Instruct", "--gpus", "8", *files)
    assert lines[0] == "policy Qwen/Qwen2.5-VL-7B-Instruct, 8,292.2 M parameters"
    assert [line.partition("rows.jsonl: ")[2] for line in lines[1:5]] == [
        "130 rows, 2 steps of 128, 1 epoch(s)",
        "130 rows, labelled first; 2 steps of 128, 1 epoch(s)",
        "130 rows, 2 steps of 64 prompts x 8 responses",
        "130 rows, one response each at temperature 0.7",
    ]
    start = next(n for n, line in enumerate(lines) if line.startswith("Stage")) + 2
    # N = 7.72 Gi parameters; a learner rank holds 18 N / R, an engine 2 N and half a GiB of cache, beside the process
    assert lines[start : start + 8] == [
        "reasoning learner 8 1 1 18.2",
        "labels rollout 8 1 1 17.0",
        "confidence learner 8 1 1 18.2",
        "calibration rollout 3 1 1 17.0",
        "learner 4 1 1 35.6",
        "reference 1 1 1 16.1",
        "reward 1 0.5 0 0.1",
        "evaluation rollout 8 1 1 17.0",
    ]


def test_a_dry_run_of_one_gpu_shows_what_lies_in_the_host(files: list[str]) -> None:
    model = ["--config", "emocaliber-3b-1gpu", "--model", "Qwen/Qwen2.5-VL-3B-Instruct"]
    lines = dry_run(*model, "--gpus", "1", "--until", "reasoning", *files)
    assert "reasoning learner 1 1 1 14.8 42.0" in lines
    assert not any(line.startswith("labels") for line in lines)


def test_a_dry_run_without_files_is_of_the_synthetic_world() -> None:
    lines = dry_run("--config", "smoke", "--gpus", "0")
    assert lines[0] == "policy tiny Qwen2.5-VL policy, 1.0 M parameters"
    assert lines[1] == "reasoning SynthVEC: 1,024 rows, 128 steps of 16, 2 epoch(s)"
    assert lines[4] == "evaluation SynthVEC: 144 rows, one response each at temperature 1"


def test_until_may_not_come_before_from(files: list[str]) -> None:
    with pytest.raises(RunError, match=r"--until = 'reasoning': comes before the first stage, confidence"):
        dry_run("--model", "a/scaffold", "--from", "confidence", "--until", "reasoning", *files)


def test_the_synthetic_world_has_no_model_to_begin_later_with() -> None:
    with pytest.raises(ConfigError, match=r"first_stage = 'calibration': begins with a model of an earlier stage"):
        dry_run("--config", "smoke", "--from", "calibration")


def test_an_image_that_only_stage_3_lacks_is_found_before_stage_1(
    files: list[str], checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [json.loads(line) for line in Path("rows.jsonl").read_text(encoding="utf-8").splitlines()]
    rows[-1]["images"] = ["nowhere.png"]
    Path("bad.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    app = typer.Typer()
    app.command()(pipeline)
    with pytest.raises(DataError, match=r"bad.jsonl:130 image = '.*nowhere.png': there is no such file"):
        CliRunner().invoke(
            app, ["--model", str(checkpoint), *files, "--calibration-data", "bad.jsonl"], catch_exceptions=False
        )
    assert not Path("runs").exists()


def test_the_published_rows_stand_beneath_the_measured() -> None:
    row = {"ID VER": {"accuracy": 54.0, "ece": 10.25, "brier": None}}
    evolvement = {
        "models": {"base": row, "calibrated": row},
        "published": {"source": "the paper", "models": {"base": row, "calibrated": row}},
    }
    console = Console(width=100, record=True, file=io.StringIO())
    print_evolvement(json.loads(json.dumps(evolvement)), console)
    lines = [" ".join(line.split()) for line in console.export_text().splitlines() if line.strip()]
    assert lines[0] == "ID VER"
    assert lines[1] == "Model Acc ECE Brier"
    assert lines[3:] == [
        "Base 54.00 10.25 -",
        "published 54.00 10.25 -",
        "Calibrated 54.00 10.25 -",
        "published 54.00 10.25 -",
        "published: the paper",
    ]
