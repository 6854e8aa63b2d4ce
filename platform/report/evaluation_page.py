"""The report of an evaluation: one HTML file that works offline, and its pictures as files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from matplotlib.figure import Figure

from emocal_rl.platform.report.calibration_figures import Panel, histogram_figure, reliability_figure
from emocal_rl.platform.report.cases import Case, cases_json
from emocal_rl.platform.report.confusion_figure import Confusion, confusion_figure
from emocal_rl.platform.report.evolvement_figure import Evolvement, evolvement_figure
from emocal_rl.platform.report.page import render_page, svg_uri
from emocal_rl.platform.report.palette import to_svg, write_figure
from emocal_rl.platform.report.results.table import ResultTable, sections
from emocal_rl.platform.report.risk_coverage_figure import RiskCoverage, risk_coverage_figure
from emocal_rl.platform.runs.atomic import write_text


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the report shows, as plain data. What there is not is empty.

    `tables`: the overview, then the paper's. `confusions`: by file name the title of the figure and a matrix for each
    model. `models`: the names that the cases' predictions refer to.
    """

    title: str
    facts: Sequence[str]
    notes: Sequence[str]
    tables: Sequence[ResultTable]
    panels: Sequence[Panel]
    curves: Sequence[RiskCoverage]
    confusions: Mapping[str, tuple[str, Sequence[Confusion]]]
    evolvement: Evolvement
    published: Evolvement | None
    models: Sequence[str]
    cases: Sequence[Case]


@dataclass(frozen=True)
class NamedFigure:
    """A picture: the chapter of the report it stands in, and the stem of its files."""

    chapter: str
    name: str
    title: str
    caption: str
    figure: Figure

    @cached_property
    def svg(self) -> str:
        """The picture as an `<svg>` element."""
        return to_svg(self.figure)


def draw_figures(evaluation: Evaluation) -> list[NamedFigure]:
    """Draw what there is data for."""
    figures = []
    if any(panel.bins for panel in evaluation.panels):
        caption = (
            "Each point is a bin of stated confidence, sized by its share of responses, with Wilson's 95 % interval of "
            "its accuracy; perfect calibration is dashed. Below, the number of responses in each bin."
        )
        figure = reliability_figure(evaluation.panels)
        figures.append(NamedFigure("Calibration", "reliability", "Reliability diagram", caption, figure))
        spread = " Bars are 95 % intervals over repeats." if any(panel.spread for panel in evaluation.panels) else ""
        caption = f"Where the stated confidences lie, on one scale.{spread}"
        figure = histogram_figure(evaluation.panels)
        figures.append(NamedFigure("Calibration", "confidence-histogram", "Confidence histogram", caption, figure))
    if evaluation.curves:
        caption = (
            "The errors that remain when only the most confident answers are given; equal confidences share alike."
        )
        figure = risk_coverage_figure(evaluation.curves)
        figures.append(NamedFigure("Calibration", "risk-coverage", "Risk and coverage", caption, figure))
    if len(evaluation.evolvement) > 1:
        caption = "From model to model in the order they were given in."
        figure = evolvement_figure(evaluation.evolvement, evaluation.published)
        figures.append(NamedFigure("Evolvement", "evolvement", "Accuracy and calibration by model", caption, figure))
    for name, (title, matrices) in evaluation.confusions.items():
        caption = "Percent of each truth's answers; neighbours on the emotion ring stand side by side."
        figures.append(NamedFigure("Confusion", name, title, caption, confusion_figure(matrices)))
    return figures


def render_evaluation(evaluation: Evaluation, figures: Sequence[NamedFigure]) -> str:
    """Render the whole page. Everything that came from a model, a data set or a file name is escaped."""
    chapters: dict[str, list[dict[str, str]]] = {}
    for figure in figures:
        shown = {"title": figure.title, "caption": figure.caption, "source": svg_uri(figure.svg)}
        chapters.setdefault(figure.chapter, []).append(shown)
    return render_page(
        "evaluation.html.jinja",
        "evaluation.js",
        {"sections": sections},
        title=evaluation.title,
        facts=evaluation.facts,
        notes=evaluation.notes,
        tables=evaluation.tables,
        chapters=chapters,
        num_cases=len(evaluation.cases),
        cases=cases_json(evaluation.models, evaluation.cases),
    )


def write_evaluation(evaluation: Evaluation, directory: Path) -> list[Path]:
    """Write `report.html` and every picture as PNG and SVG; return the files' paths.

    Raises:
        OSError: a file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    figures = draw_figures(evaluation)
    report = directory / "report.html"
    write_text(report, render_evaluation(evaluation, figures))
    written = [report]
    for figure in figures:
        picture, drawing = (directory / f"{figure.name}.{suffix}" for suffix in ("png", "svg"))
        write_figure(figure.figure, picture)
        write_text(drawing, figure.svg)
        written += [picture, drawing]
    return written
