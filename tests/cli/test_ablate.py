import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from emocal_rl.actors.learner import lora
from emocal_rl.cli.ablate import ablate
from emocal_rl.platform.config.ablation import list_ablations
from emocal_rl.platform.errors import UserError
from emocal_rl.stages.ablation import job

GRID = ["--grid", "reward.confidence.rule=loglik,brier", "--config", "smoke", "--seeds", "2"]


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(ablate)
    done = CliRunner().invoke(app, [*arguments], catch_exceptions=False, env={"COLUMNS": "120"})
    return done.exit_code, done.output


def refused(*arguments: str) -> str:
    with pytest.raises(UserError) as caught:
        run(*arguments)
    assert not Path("runs").exists() or len(list(Path("runs").iterdir())) == 1
    return str(caught.value)


@pytest.mark.parametrize("name", list_ablations())
def test_a_shipped_ablation_is_planned_without_ray(name: str) -> None:
    code, printed = run(name, "--dry-run")
    assert code == 0
    assert "1 at a time on this machine" in printed or "at a time" in printed
    assert not Path("runs").exists()


def test_only_some_cells_of_a_shipped_grid_are_planned() -> None:
    cells = ("rule=brier, normalize=false", "rule=loglik, normalize=false")
    code, printed = run("table9", "--only", cells[0], "--only", cells[1], "--seeds", "1", "--dry-run")
    assert code == 0
    assert "runs     2 cells x 1 seeds (0) = 2" in printed
    assert "normalize=true" not in printed
    assert "--only = 'rule=brier': is no cell. The cells are: " in refused("table9", "--only", "rule=brier")


def test_a_dry_run_shows_cells_verdicts_resources_and_time() -> None:
    _, printed = run(*GRID, "--set", "cluster.num_cpus=4", "--dry-run")
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert (
        "rule=loglik (baseline) proper; raw advantages follow it; a decoy pays below p = 0.51 with 8 classes" in lines
    )
    assert "rule=brier proper; raw advantages follow it; no decoy with 8 classes" in lines
    assert "runs 2 cells x 2 seeds (0, 1) = 4, stage calibration" in lines
    (trial,) = [line for line in lines if line.startswith("trial")]
    assert trial.startswith("trial 1.5 CPUs, 0 GPUs; 2 at a time on this machine (4 CPUs")
    (time,) = [line for line in lines if line.startswith("time")]
    assert "(cold starts: 1, 1 to build), a rough estimate" in time


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--grid: must name at least one key"),
        (("--grid", "loss.clip_ratio"), "--grid = 'loss.clip_ratio': must be KEY=VALUE,VALUE."),
        (("--grid", "loss.clip_ratio="), "--grid loss.clip_ratio: must have at least one value."),
        (("--grid", "loss.clip_ratio=0.2", "--grid", "loss.clip_ratio=0.3"), "is given twice"),
        (("--grid", "loss.clip_ration=0.2"), "loss.clip_ration: unknown key. Did you mean 'loss.clip_ratio'?"),
        (("--grid", "loss.clip_ratio=0.2,high"), "loss.clip_ratio = 'high': must be a number"),
        ((*GRID[:4], "--seeds", "0"), "--seeds: seeds = 0"),
        (("--grid", "reward.confidence.rule=loglik,nonesuch"), "nonesuch"),
        (("nonesuch.yaml",), "there is no such ablation or file"),
        ((*GRID, "--address", "ray://somewhere:10001"), "must be local, auto or host:port"),
    ],
)
def test_bad_input_is_one_message_before_anything_starts(arguments: tuple[str, ...], message: str) -> None:
    assert message in refused(*arguments)


def test_adapters_need_peft(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lora, "find_spec", lambda _: None)
    grid = ("--grid", "learner.lora.rank=0,8", "--config", "smoke", "--dry-run")
    assert refused(*grid).startswith("learner.lora.rank: the package peft is not installed")


@pytest.fixture
def finishing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs that are finished as soon as they are begun, but for what is in the list."""
    broken: list[str] = []

    def work(task: job.AblationJob, _: object) -> None:
        for state in task.journal.waiting():
            manifest = {"status": "finished", "error": None}
            if state.run in broken:
                manifest = {"status": "failed", "error": "ValueError: no"}
            (task.journal.directory / state.run / "manifest.json").write_text(json.dumps(manifest))

    monkeypatch.setattr(job, "run", work)
    return broken


@pytest.mark.usefixtures("finishing")
def test_tables_are_printed_and_drawn_again() -> None:
    code, printed = run(*GRID)
    assert code == 0
    assert "Stage 3 (the paper's Table 9)" in printed
    assert "rule=loglik: no prediction" in printed
    (ablation,) = Path("runs").iterdir()
    (ablation / "report.html").unlink()
    code, printed = run("--report", "latest", "--json")
    assert json.loads(printed[printed.index("{") : printed.rindex("}") + 1])["baseline"] == "rule=loglik"
    assert (ablation / "report.html").exists()


def test_a_failed_run_is_named_and_the_same_command_goes_on(finishing: list[str]) -> None:
    finishing.append("02-rule-brier-seed-1")
    code, printed = run(*GRID)
    assert code == 1
    assert "02-rule-brier-seed-1 failed: ValueError: no" in printed
    (ablation,) = Path("runs").iterdir()
    assert json.loads((ablation / "manifest.json").read_text())["status"] == "failed"
    finishing.clear()
    code, printed = run(*GRID)
    assert code == 0
    assert f"Continuing {ablation}" in printed
    assert list(Path("runs").iterdir()) == [ablation]


def test_resuming_takes_the_same_grid_or_none(finishing: list[str]) -> None:
    finishing.append("02-rule-brier-seed-1")
    run(*GRID)
    other = ["--grid", "advantage.normalize=true,false", "--config", "smoke", "--seeds", "2"]
    assert "was begun with another grid" in refused("--resume", "latest", *other)
    assert "was begun with another configuration" in refused(
        "--resume", "latest", *GRID, "--set", "loss.clip_ratio=0.3"
    )
    assert "keeps its configuration" in refused("--resume", "latest", "--set", "loss.clip_ratio=0.3")
    finishing.clear()
    assert run("--resume", "latest", *GRID)[0] == 0
    assert run("--resume", "latest")[0] == 0
