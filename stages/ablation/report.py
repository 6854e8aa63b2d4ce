"""An ablation's results: tables, pictures and verdicts, drawn from what its runs have left, finished or not."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student_t

from emocal_rl.benchmarks.statistics.seed_interval import seed_interval
from emocal_rl.benchmarks.vecbench.comparison import score_model
from emocal_rl.benchmarks.vecbench.evaluation_report import calibration_panel, of_group
from emocal_rl.benchmarks.vecbench.prediction_sets import PredictionSet
from emocal_rl.benchmarks.vecbench.tasks import group_of_task
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.report.ablation_figures import Course, Shift, curves_figure, shifts_figure
from emocal_rl.platform.report.ablation_page import AblationReport, Verdict, write_ablation
from emocal_rl.platform.report.calibration_figures import Panel, histogram_figure, reliability_figure
from emocal_rl.platform.report.evaluation_page import NamedFigure
from emocal_rl.platform.report.palette import BEFORE, SERIES
from emocal_rl.platform.report.results.markdown import write_markdown
from emocal_rl.platform.report.results.table import ResultTable
from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.stages.ablation.journal import DONE, AblationJournal
from emocal_rl.stages.ablation.measurement import CellResult, Measured, measure, starting_model
from emocal_rl.stages.ablation.prediction import Agreement, agree, read_prediction
from emocal_rl.stages.ablation.tables import STARTS, figures, main_table, paired_table

_COLOURS = [colour for colour in SERIES if colour != BEFORE]
_FIGURE_6_GROUP = "ID VER"


@dataclass(frozen=True)
class AblationResults:
    """What came of an ablation: `tables`, one verdict a cell, the numbers for JSON, and the page that was written."""

    tables: Sequence[ResultTable]
    verdicts: Sequence[Verdict]
    values: Mapping[str, Any]
    page: Path


def write_results(journal: AblationJournal, progress: Progress, *, num_resamples: int = 2000) -> AblationResults:
    """Write `report.html`, `table.md`, `results.json` and the pictures into the ablation's folder."""
    progress.phase("report")
    cells, directory, stage = measure(journal), journal.directory, journal.stage
    agreements = {cell.name: _agreement(cell) for cell in cells}
    tables = [main_table(stage, cells)]
    if (paired := paired_table(stage, cells, journal.baseline, num_resamples=num_resamples)) is not None:
        tables.append(paired)
    verdicts = [_verdict(cell, agreements[cell.name]) for cell in cells] if stage == "calibration" else []
    runs, names = journal.runs(), {cell.number: cell.name for cell in cells}
    num_done = sum(run.state in DONE for run in runs)
    values = {
        "stage": stage,
        "baseline": journal.baseline,
        "runs": [{"run": run.run, "cell": names[run.cell], "seed": run.seed, "state": run.state} for run in runs],
        "cells": figures(cells, stage),
        "predictions": {cell.name: {"predicted": cell.prediction, **_plain(agreements[cell.name])} for cell in cells},
        "tables": [_plain_table(table) for table in tables],
    }
    report = AblationReport(
        title=f"{len(cells)} cells × {len(journal.seeds)} seeds",
        status="finished" if num_done == len(runs) else "interrupted",
        facts=[f"{num_done} of {len(runs)} runs done", f"stage: {stage}", directory.resolve().name],
        tables=tables,
        verdicts=verdicts,
        runs=[
            {
                "run": run.run, "cell": names[run.cell], "seed": str(run.seed), "state": run.state,
                "error": run.error or "",
            }
            for run in runs
        ],
        figures=_draw(journal, cells, progress),
        config_yaml=(directory / "config.yaml").read_text(encoding="utf-8"),
    )  # fmt: skip
    write_text(directory / "table.md", write_markdown(tables))
    write_text(directory / "results.json", json.dumps(values, indent=1, allow_nan=False) + "\n")
    return AblationResults(tables, verdicts, values, write_ablation(report, directory))


def _agreement(cell: CellResult) -> Agreement | None:
    prediction = read_prediction(cell.prediction)
    if prediction is None:
        return None
    stopped = [run.error for run in cell.runs if run.state == "stopped"]
    if not cell.after and stopped:
        return Agreement((), None, None, f"stopped by an alarm: {stopped[0]}")
    return agree(prediction, [each.figures for each in cell.before], [each.figures for each in cell.after])


def _verdict(cell: CellResult, agreement: Agreement | None) -> Verdict:
    prediction = read_prediction(cell.prediction)
    if prediction is None or agreement is None:
        return Verdict(cell.name, cell.audit, None, None, None, "no prediction", "warning", "")
    expected = f"predicted {prediction.direction} ({prediction.verdict})"
    if agreement.agrees is None:
        start, predicted = prediction.start, prediction.end
        return Verdict(cell.name, cell.audit, start, predicted, None, expected, "warning", agreement.reason)
    change = float(np.mean(agreement.measured))
    interval = seed_interval(agreement.measured)
    spread = f" [{interval[0]:+.2f}, {interval[1]:+.2f}]" if interval else ""
    outcome = f"{'agrees' if agreement.agrees else 'does not agree'}: {expected}, measured {agreement.direction} "
    return Verdict(
        cell.name,
        cell.audit,
        prediction.start,
        prediction.end,
        prediction.start + change,
        f"{outcome}({change:+.2f}{spread})",
        "good" if agreement.agrees else "bad",
        agreement.reason,
    )


def _plain(agreement: Agreement | None) -> dict[str, Any]:
    if agreement is None:
        return {}
    return {
        "changes": list(agreement.measured),
        "measured": agreement.direction,
        "agrees": agreement.agrees,
        "reason": agreement.reason,
    }


def _plain_table(table: ResultTable) -> dict[str, Any]:
    columns = [f"{column.group} {column.title}" for column in table.columns]
    rows = [
        {
            "name": row.label,
            "seeds": row.detail,
            "values": {
                column: {"value": cell.value, "interval": cell.interval}
                for column, cell in zip(columns, row.cells, strict=True)
            },
        }
        for row in table.rows
    ]
    return {"title": table.title, "rows": rows, "notes": list(table.notes)}


def _draw(journal: AblationJournal, cells: Sequence[CellResult], progress: Progress) -> list[NamedFigure]:
    """Draw what there is data for."""
    colours = {cell.name: _COLOURS[index % len(_COLOURS)] for index, cell in enumerate(cells)}
    drawn: list[NamedFigure] = []
    answered = {STARTS[journal.stage]: starting_model(cells), **{cell.name: cell.after for cell in cells}}
    panels = [
        panel
        for name, measured in answered.items()
        if (panel := _panel(name, measured, colours.get(name, BEFORE), progress)) is not None
    ]
    if panels and any(sum(panel.histogram) for panel in panels):
        caption = f"Shares of stated confidences on {_FIGURE_6_GROUP} tasks (the paper's Figure 6)" + (
            "; bars are Student's 95 % intervals over seeds." if any(panel.spread for panel in panels) else "."
        )
        title = "Where confidence went"
        drawn.append(NamedFigure("", "figure6", title, caption, histogram_figure(panels)))
        caption = "Each point is a bin of stated confidence with Wilson's 95 % interval of its accuracy; same tasks."
        drawn.append(NamedFigure("", "reliability", "Reliability diagrams", caption, reliability_figure(panels)))
    courses = [
        Course(cell.name, colours[cell.name], list(cell.courses.values()), _quantile(len(cell.courses)))
        for cell in cells
        if cell.courses
    ]
    if courses:
        caption = "Rollouts of training, mean over seeds of their moving averages; bands are 95 % intervals over seeds."
        drawn.append(NamedFigure("", "curves", "Over the steps", caption, curves_figure(courses)))
    if shifts := [shift for cell in cells if (shift := _shift(cell, colours[cell.name])) is not None]:
        caption = "In-domain tasks as sampled: where the audit's flow leads, and where each seed's run ended."
        drawn.append(NamedFigure("", "predictions", "Audit and outcome", caption, shifts_figure(shifts)))
    return drawn


def _panel(name: str, measured: Sequence[Measured], colour: str, progress: Progress) -> Panel | None:
    if not measured:
        return None
    answers = PredictionSet(name, [each.predictions for each in measured])
    if any(group_of_task(each.task) == _FIGURE_6_GROUP for each in measured[0].predictions):
        answers = of_group(answers, _FIGURE_6_GROUP)
    return calibration_panel(score_model(answers, progress), colour)


def _quantile(num_seeds: int) -> float | None:
    return float(student_t.ppf(0.975, num_seeds - 1)) if num_seeds > 1 else None


def _shift(cell: CellResult, colour: str) -> Shift | None:
    prediction = read_prediction(cell.prediction)
    if prediction is None:
        return None
    ends = [(each.figures.get("in_domain") or each.figures)["overall"]["mean_confidence"] for each in cell.after]
    return Shift(cell.name, colour, prediction.start, prediction.end, [end for end in ends if end is not None])
