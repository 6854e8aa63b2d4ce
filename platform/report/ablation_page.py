"""The page of an ablation: tables, predictions and pictures in one file that works offline, and the pictures beside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emocal_rl.platform.report.evaluation_page import NamedFigure
from emocal_rl.platform.report.html import format_number
from emocal_rl.platform.report.page import render_page, svg_uri
from emocal_rl.platform.report.palette import write_figure
from emocal_rl.platform.report.results.table import ResultTable, sections
from emocal_rl.platform.runs.atomic import write_text


@dataclass(frozen=True, slots=True)
class Verdict:
    """One cell: what the audit said of it, and what came of its prediction. Numbers are mean stated confidences."""

    cell: str
    audit: str
    start: float | None
    predicted: float | None
    measured: float | None
    outcome: str
    tone: str
    reason: str


@dataclass(frozen=True, slots=True)
class AblationReport:
    """What the page shows, as plain data. What there is not is empty."""

    title: str
    status: str
    facts: Sequence[str]
    tables: Sequence[ResultTable]
    verdicts: Sequence[Verdict]
    runs: Sequence[Mapping[str, str]]
    figures: Sequence[NamedFigure]
    config_yaml: str


def render_ablation(report: AblationReport) -> str:
    """Render the whole page. Everything that came from a config, a model or a data set is escaped."""
    return render_page(
        "ablation.html.jinja",
        None,
        {"number": format_number, "sections": sections},
        report=report,
        figures=[(each.title, each.caption, svg_uri(each.svg)) for each in report.figures],
    )


def write_ablation(report: AblationReport, directory: Path) -> Path:
    """Write `report.html` and every picture as PNG and SVG; return the page's path."""
    for figure in report.figures:
        write_figure(figure.figure, directory / f"{figure.name}.png")
        figure.figure.set_layout_engine("none")  # laid out once, for all files
        write_text(directory / f"{figure.name}.svg", figure.svg)
    write_text(directory / "report.html", render_ablation(report))
    return directory / "report.html"
