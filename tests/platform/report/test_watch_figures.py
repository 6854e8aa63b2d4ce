from pathlib import Path

from emocal_rl.platform.report.data import load_report_data
from emocal_rl.platform.report.html import render_report
from emocal_rl.platform.report.watch_figures import draw_monitors, draw_tasks
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import Journal

ROWS = [
    {
        "step": step, "advantage/variance_share/format": 0.1, "rollout/confidence_entropy": 3.0,
        "rollout/mean_confidence": 0.6, "rollout/FI-8/mean_confidence": 0.7, "rollout/FI-8/accuracy": None,
    }
    for step in (1, 2)
]  # fmt: skip


def test_figures_draw_what_there_is() -> None:
    quiet, alarmed = draw_monitors(ROWS), draw_monitors(ROWS, [{"step": 2}])
    assert quiet.startswith("<svg")
    assert quiet != alarmed
    assert draw_tasks(ROWS).startswith("<svg")
    assert draw_tasks([{"step": 1, "rollout/mean_confidence": 0.5}]) == ""


def test_the_report_tells_alarms_and_draws_the_monitors(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, "run") as run, Journal(run) as journal:
        for row in ROWS:
            journal.append("train", row)
        journal.append("event", {"name": "alarm", "alarm": "decoy", "message": "decoy at step 2: 12 % <b>"}, step=2)
        journal.event("restart", "a worker")
        data = load_report_data(run.path)
        page = render_report(data)
    assert [(alarm["alarm"], alarm["step"]) for alarm in data.alarms] == [("decoy", 2)]
    assert "<h2>Alarms</h2><ul><li>decoy at step 2: 12 % &lt;b&gt;</li></ul>" in page
    assert 'alt="Watched"' in page
    assert 'alt="Confidence and accuracy by task"' in page


def test_an_older_run_has_neither(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, "run") as run, Journal(run) as journal:
        journal.append("train", {"rollout/mean_confidence": 0.5}, step=1)
        page = render_report(load_report_data(run.path))
    assert "Alarms" not in page
    assert 'alt="Watched"' not in page
