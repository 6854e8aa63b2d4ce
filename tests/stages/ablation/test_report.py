"""Results of an ablation whose runs are made up, whole and in part."""

import json
import re
from typing import Any

import pytest

from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages.ablation.journal import AblationJournal
from emocal_rl.stages.ablation.report import AblationResults, write_results

ENDS = {1: (0.52, 0.5), 2: (0.52, 0.95), 3: (0.75, 0.55), 4: (0.4, 0.97)}
"""Cell -> accuracy and confidence after it; all begin at 0.5 and 0.8."""
FIGURES = ("figure6", "reliability", "curves", "predictions")


def prediction(end: float, verdict: str) -> dict[str, Any]:
    direction = "down" if end < 0.8 else "up"
    return {"start": 0.8, "end": end, "direction": direction, "verdict": verdict} | {
        "by_probability": [end] * 9, "independent": None
    }  # fmt: skip


def play(made_up: Any, journal: AblationJournal, cells: tuple[int, ...] = (1, 2, 3, 4)) -> AblationResults:
    for run in journal.runs():
        if run.cell in cells:
            accuracy, confidence = ENDS[run.cell]
            made_up.finish(journal.directory / run.run, accuracy=accuracy, confidence=confidence, seed=run.seed)
    for cell in journal.cells:
        predicted = prediction(0.5, "proper") if cell["number"] % 2 else prediction(1.0, "polarising")
        journal.predict(cell["number"], predicted)
    return write_results(journal, SilentProgress(), num_resamples=200)


@pytest.fixture(scope="module")
def results(made_up_once: Any) -> AblationResults:
    return play(made_up_once, made_up_once.journal())


def test_the_table_has_the_cold_start_and_every_cell(results: AblationResults) -> None:
    table = results.tables[0]
    assert [row.label for row in table.rows] == [
        "Cold-start model",
        "rule=loglik, normalize=false",
        "rule=loglik, normalize=true",
        "rule=brier, normalize=false",
        "rule=brier, normalize=true",
    ]
    assert [f"{column.group} {column.title}" for column in table.columns[:5]] == [
        "ID VER Acc", "ID VER Brier", "ID VER ECE", "ID VER AUC", "ID VSA Acc"
    ]  # fmt: skip
    assert table.columns[-4].group == "Average"
    values = {row.label: [cell.value for cell in row.cells[-4:]] for row in table.rows}
    accuracy, brier, ece, _ = values["rule=brier, normalize=true"]
    assert accuracy == pytest.approx(40, abs=6)
    assert ece == pytest.approx(55, abs=7)
    assert brier == pytest.approx(55, abs=7)
    assert values["rule=loglik, normalize=false"][2] < 15 < ece  # type: ignore[operator]
    for cell in table.rows[1].cells[-4:-1]:
        assert cell.value is not None
        assert cell.interval is not None
        assert cell.interval[0] < cell.value < cell.interval[1]


def test_values_are_means_over_the_seeds(results: AblationResults) -> None:
    by_seed = results.values["cells"]["rule=brier, normalize=false"]["Average"]["accuracy"]
    assert list(by_seed) == ["0", "1"]
    (row,) = [row for row in results.tables[0].rows if row.label == "rule=brier, normalize=false"]
    assert row.cells[-4].value == pytest.approx(100 * sum(by_seed.values()) / 2)


def test_differences_are_to_the_baseline_under_the_same_seeds(results: AblationResults) -> None:
    table = results.tables[1]
    assert table.title == "Difference to rule=loglik, normalize=false"
    better = next(row for row in table.rows if row.label == "rule=brier, normalize=false").cells[-4]
    assert better.value == pytest.approx(23, abs=7)
    assert better.interval is not None
    assert better.interval[0] > 0


def test_predictions_are_held_against_what_happened(results: AblationResults) -> None:
    found = {verdict.cell: verdict for verdict in results.verdicts}
    agrees = found["rule=loglik, normalize=false"]
    assert agrees.outcome.startswith("agrees: predicted down (proper), measured down (-0.3")
    assert (agrees.tone, agrees.reason, agrees.audit) == ("good", "", "audit of rule=loglik, normalize=false")
    assert {verdict.tone for verdict in results.verdicts} == {"good"}


def test_page_and_files_stand_by_themselves(results: AblationResults) -> None:
    folder = results.page.parent
    page = results.page.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=[\"'](?!data:|#)", page)
    assert page.count("data:image/svg+xml") == len(FIGURES)
    assert all((folder / f"{name}.png").read_bytes()[:4] == b"\x89PNG" for name in FIGURES)
    assert all((folder / f"{name}.svg").read_text().startswith("<svg") for name in FIGURES)
    assert (folder / "table.md").read_text().count("\n| ") >= 12
    assert json.loads((folder / "results.json").read_text())["baseline"] == "rule=loglik, normalize=false"


def test_a_partial_ablation_shows_what_there_is(made_up: Any) -> None:
    journal = made_up.journal(baseline="rule=brier, normalize=true")
    stopped = journal.directory / journal.runs()[1].run
    made_up.finish(stopped, accuracy=0.5, confidence=0.95, seed=0, status="stopped")
    results = play(made_up, journal, cells=(1,))
    assert [len(row.cells) for row in results.tables[0].rows] == [16] * 5
    assert [row.detail for row in results.tables[0].rows] == ["2", "2", "–", "–", "–"]
    assert len(results.tables) == 1  # the baseline has no run yet
    by_cell = {verdict.cell: verdict for verdict in results.verdicts}
    assert by_cell["rule=loglik, normalize=true"].reason == "stopped by an alarm: overconfidence at step 30"
    assert by_cell["rule=brier, normalize=false"].reason == "no run of the cell is finished"
    assert "3 of 8 runs done" in results.page.read_text()


def test_an_ablation_of_which_nothing_has_run_has_a_page(made_up: Any) -> None:
    results = write_results(made_up.journal(), SilentProgress())
    assert "0 of 8 runs done" in results.page.read_text()
    assert all(cell.value is None for row in results.tables[0].rows for cell in row.cells)


def test_names_are_escaped(made_up: Any) -> None:
    journal = made_up.journal(grid={"data.image_root": ["<img src=x onerror=alert(1)>"]}, seeds=1)
    page = write_results(journal, SilentProgress()).page.read_text()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
