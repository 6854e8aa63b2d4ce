import json
from pathlib import Path

from emocal_rl.benchmarks.vecbench.tasks import TASK_GROUPS
from emocal_rl.stages.evolvement import measure_evolvement


def write_report(path: Path, tasks: list[str], accuracy: float, ece: float | None) -> None:
    row = {"accuracy": accuracy, "ece": ece, "brier": None}
    pooled = {"accuracy": 0.999, "ece": ece, "brier": None}
    groups = dict.fromkeys(TASK_GROUPS.values())
    report = {
        "tasks": dict.fromkeys(tasks, row),
        "groups": dict.fromkeys(groups, pooled),
        "group_task_means": dict.fromkeys(groups, row),
    }
    path.write_text(json.dumps(report))


def test_the_papers_rows_stand_beside_a_run_on_all_of_vecbench(tmp_path: Path) -> None:
    write_report(tmp_path / "scaffold.json", list(TASK_GROUPS), 0.54321, None)
    write_report(tmp_path / "cold_start.json", ["ArtPhoto-8", *TASK_GROUPS], 0.5, 0.1234)
    evolvement = measure_evolvement(tmp_path, ["scaffold", "cold_start"])
    assert evolvement["models"]["scaffold"]["ID VSA"] == {"accuracy": 54.32, "ece": None, "brier": None}
    assert evolvement["models"]["cold_start"]["OOD VER"] == {"accuracy": 50.0, "ece": 12.34, "brier": None}
    published = evolvement["published"]
    assert "Table 6" in published["source"]
    assert list(published["models"]) == ["scaffold", "cold_start"]
    assert published["models"]["cold_start"]["ID VSA"] == {"accuracy": 81.6, "ece": 7.28, "brier": 14.79}


def test_the_papers_rows_stay_away_from_the_synthetic_world(tmp_path: Path) -> None:
    write_report(tmp_path / "base.json", [f"Synth{task}" for task in TASK_GROUPS], 0.5, None)
    assert measure_evolvement(tmp_path, ["base"])["published"] is None
