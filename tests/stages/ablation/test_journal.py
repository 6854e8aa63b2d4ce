import json
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.platform.errors import RunError
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.stages.ablation.journal import open_journal


def mark(run: Path, status: str, error: str | None = None) -> None:
    (run / "manifest.json").write_text(json.dumps({"status": status, "error": error}))


def test_what_is_done_is_what_the_runs_say(made_up: Any) -> None:
    journal = made_up.journal(seeds=1)
    runs = [journal.directory / run.run for run in journal.runs()]
    assert {run.state for run in journal.runs()} == {"waiting"}
    mark(runs[0], "finished")
    mark(runs[1], "stopped", "decoy at step 9")
    mark(runs[2], "running")  # nobody holds its lock: it was killed
    assert [(run.state, run.error) for run in journal.runs()] == [
        ("finished", None), ("stopped", "decoy at step 9"), ("interrupted", None), ("waiting", None)
    ]  # fmt: skip
    assert [run.cell for run in journal.waiting()] == [3, 4]
    with RunDirectory.at(runs[2]):
        assert journal.runs()[2].state == "running"


def test_the_file_tells_states_and_predictions(made_up: Any) -> None:
    journal = made_up.journal(seeds=1)
    mark(journal.directory / journal.runs()[3].run, "failed", "ValueError: no")
    journal.predict(2, {"end": 0.9})
    written = json.loads((journal.directory / "ablation.json").read_text())
    assert [cell["prediction"] for cell in written["cells"]] == [None, {"end": 0.9}, None, None]
    assert written["runs"][3] == {
        "run": "04-rule-brier-normalize-true-seed-0", "cell": 4, "seed": 0, "state": "failed", "error": "ValueError: no"
    }  # fmt: skip
    assert written["cells"][0]["audit"] == "audit of rule=loglik, normalize=false"


def test_another_grid_seeds_or_baseline_is_another_ablation(made_up: Any) -> None:
    journal = made_up.journal(seeds=2)
    assert journal.is_of(made_up.layout(seeds=2).description)
    assert not journal.is_of(made_up.layout(seeds=3).description)
    assert not journal.is_of(made_up.layout(seeds=2, grid={"advantage.normalize": [True]}).description)
    assert not journal.is_of(made_up.layout(seeds=2, only=["rule=loglik, normalize=false"]).description)
    assert not journal.is_of(made_up.layout(seeds=2, baseline="rule=brier, normalize=true").description)


def test_a_prediction_of_one_of_some_cells(made_up: Any) -> None:
    journal = made_up.journal(only=["rule=loglik, normalize=false", "rule=brier, normalize=true"])
    journal.predict(4, {"end": 0.7})
    assert [cell["prediction"] for cell in journal.cells] == [None, {"end": 0.7}]


def test_every_run_has_its_own_config(made_up: Any) -> None:
    configs = made_up.journal(seeds=2).configs()
    found = {(c.reward.confidence.rule, c.advantage.normalize, c.run.seed) for c in configs.values()}
    assert found == {(rule, norm, seed) for rule in ("loglik", "brier") for norm in (True, False) for seed in (0, 1)}


def test_a_run_that_is_no_ablation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"not the run of an ablation"):
        open_journal(tmp_path)
    (tmp_path / "ablation.json").write_text("{")
    with pytest.raises(RunError, match=r"is damaged"):
        open_journal(tmp_path)
