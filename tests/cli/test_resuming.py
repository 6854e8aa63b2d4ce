from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.cli.resuming import open_to_resume
from emocal_rl.platform.config.load import dump_config, resolve_config
from emocal_rl.platform.errors import RunError
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.manifest import Manifest

NO_FLAGS = {"run.seed": None, "cluster.address": None}


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """A pipeline that was killed in its third stage."""
    parent = tmp_path / "runs" / "pipeline-1"
    for path, stage in ((parent, "pipeline"), *((parent / name, name) for name in ("reasoning", "calibration"))):
        with RunDirectory.at(path) as directory:
            directory.config.write_text(dump_config(resolve_config("smoke")))
            Manifest(directory.manifest, seeds={}, stage=stage)
    return parent


@pytest.mark.parametrize("command", [["launch"], ["sft", "reasoning"], ["pipeline"]])
@pytest.mark.parametrize("child", ["reasoning", "calibration"])
def test_a_pipelines_stage_is_continued_with_the_whole(parent: Path, command: list[str], child: str) -> None:
    with pytest.raises(RunError) as caught:
        CliRunner().invoke(app, [*command, "--resume", str(parent / child)], catch_exceptions=False)
    message = f"is a stage of a pipeline's run. Continue the whole: emocal-rl pipeline --resume {parent}."
    assert str(caught.value) == f"--resume = '{parent / child}': {message}"


@pytest.mark.parametrize("command", [["launch"], ["sft", "confidence"]])
def test_a_pipeline_is_continued_by_no_stages_command(parent: Path, command: list[str]) -> None:
    arguments = [*command, "--root", str(parent.parent), "--resume", "latest"]
    with pytest.raises(RunError, match=rf"was begun by `emocal-rl pipeline`.*emocal-rl pipeline --resume {parent}"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_a_pipeline_continues_no_other_run(parent: Path) -> None:
    with RunDirectory.at(parent.parent / "launch-1") as directory:
        directory.config.write_text(dump_config(resolve_config("smoke")))
        Manifest(directory.manifest, seeds={}, stage="calibration")
    with pytest.raises(RunError, match=r"was begun by `emocal-rl launch`"):
        CliRunner().invoke(app, ["pipeline", "--resume", str(directory.path)], catch_exceptions=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    config = resolve_config(None, sets=["alarms.stop=[decoy]", "run.seed=3"])
    with RunDirectory.create(tmp_path, "run") as run:
        run.config.write_text(dump_config(config))
    return tmp_path


def test_a_run_resumes_with_other_alarms_and_says_so(root: Path) -> None:
    flags = {**NO_FLAGS, "cluster.address": "head:6379"}
    directory, config = open_to_resume("launch", "latest", str(root), flags, config=None, sets=["alarms.stop=[]"])
    with directory:
        assert (config.alarms.stop, config.run.seed, config.cluster.address) == ((), 3, "head:6379")
        written = resolve_config(str(directory.config))
        assert (written.alarms.stop, written.run.seed, written.cluster.address) == ((), 3, "local")


@pytest.mark.parametrize(
    ("flags", "config", "sets", "named"),
    [
        ({"run.seed": 1}, None, None, "run.seed was given"),
        ({}, "smoke", None, "--config was given"),
        ({}, None, ["alarms.window=5", "loss.kl_coefficient=0"], "--set loss.kl_coefficient=0 was given"),
    ],
)
def test_what_would_make_it_another_run_is_refused(
    root: Path, flags: dict[str, int], config: str | None, sets: list[str] | None, named: str
) -> None:
    with pytest.raises(RunError, match=named):
        open_to_resume("launch", "latest", str(root), {**NO_FLAGS, **flags}, config=config, sets=sets)
