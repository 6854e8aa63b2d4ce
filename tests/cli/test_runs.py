import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.config.load import dump_config
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import RunError
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import Journal
from emocal_rl.platform.runs.manifest import Manifest


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDirectory:
    with RunDirectory.create(tmp_path, "demo") as run:
        run.config.write_text(dump_config(Config()))
        with Manifest(run.manifest, seeds={}, command=["emocal-rl", "launch"]), Journal(run) as journal:
            journal.append("validation", {"accuracy": 0.5, "ece": 0.123, "brier": 0.2}, step=10)
        metrics = {"accuracy": 0.5, "ece": 0.25, "brier": 0.3, "auc": None, "mean_confidence": 0.7}
        (run.evaluations / "before_sampled.json").write_text(json.dumps({"overall": metrics, "temperature": 1.0}))
    return run


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_list(run_dir: RunDirectory) -> None:
    shown = invoke("runs", "list", "--root", str(run_dir.path.parent))
    assert "finished" in shown
    assert "0.123" in shown
    (listed,) = json.loads(invoke("runs", "list", "--root", str(run_dir.path.parent), "--json"))
    assert (listed["name"], listed["ece"]) == (run_dir.name, 0.123)


def test_list_of_nothing_says_what_to_do(tmp_path: Path) -> None:
    assert invoke("runs", "list", "--root", str(tmp_path)) == f"No runs in {tmp_path}. `emocal-rl launch` starts one.\n"


def test_show(run_dir: RunDirectory) -> None:
    shown = invoke("runs", "show", "latest", "--root", str(run_dir.path.parent))
    assert "command     emocal-rl launch\n" in shown
    assert "Sampled at T = 1, all tasks" in shown
    assert "Cold start" in shown
    found = json.loads(invoke("runs", "show", str(run_dir.path), "--json"))
    assert found["summary"]["status"] == found["manifest"]["status"] == "finished"


def test_report_is_drawn_again(run_dir: RunDirectory) -> None:
    assert invoke("report", run_dir.name, "--root", str(run_dir.path.parent)).strip() == str(run_dir.report)
    assert run_dir.name in run_dir.report.read_text()


def test_an_unknown_run_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run of this name"):
        CliRunner().invoke(app, ["report", "nope", "--root", str(tmp_path)], catch_exceptions=False)
