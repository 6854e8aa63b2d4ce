import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from emocal_rl.platform.report.calibration_figures import Panel
from emocal_rl.platform.report.cases import Case, ShownPrediction
from emocal_rl.platform.report.confusion_figure import Confusion, confusion_figure
from emocal_rl.platform.report.evaluation_page import (
    Evaluation,
    NamedFigure,
    draw_figures,
    render_evaluation,
    write_evaluation,
)
from emocal_rl.platform.report.evolvement_figure import evolvement_figure
from emocal_rl.platform.report.results.table import Cell, Column, ResultRow, ResultTable
from emocal_rl.platform.report.risk_coverage_figure import RiskCoverage

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> & <!-- \x00 \u2028 \ud800 $x$ é"
SHOWN = HOSTILE.replace("\ud800", "?")
BINS = [{"lower": 0.5, "upper": 1.0, "count": 4, "mean_confidence": 0.8, "accuracy": 1.0}]


def evaluation(text: str = "fear", **changes: Any) -> Evaluation:
    right = ShownPrediction(0, text, None, {"element": text}, "awe", text, 0.85, None, correct=True, well_formed=True)
    failed = ShownPrediction(1, None, text, {}, None, None, None, "inference_error", correct=False, well_formed=False)
    table = ResultTable(text, [Column(text, "Acc")], [ResultRow(text, [Cell(50.0)], text, text)], [text], text)
    fields = {
        "title": text, "facts": [text], "notes": [text], "tables": [table, table], "panels": [], "curves": [],
        "confusions": {}, "evolvement": {}, "published": None, "models": [text, "b"],
        "cases": [Case(text, text, "data:image/png;base64,AA", text, text, [right, failed])],
    }  # fmt: skip
    return Evaluation(**{**fields, **changes})


def embedded(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_hostile_text_reaches_the_browser_as_text_only() -> None:
    page = render_evaluation(
        evaluation(HOSTILE), [NamedFigure("Calibration", "x", HOSTILE, HOSTILE, evolvement_figure({}))]
    )
    page.encode()
    assert page.count("<script") == page.count("</script>") == 2
    assert "<img src=x" not in page
    assert "<!--" not in page
    case = embedded(page)["cases"][0]
    assert case["question"] == case["predictions"][0]["response"] == case["predictions"][1]["error"] == SHOWN
    assert embedded(page)["models"] == [SHOWN, "b"]
    assert embedded(page)["parts"][0] == ["element", "Element"]


def test_the_page_loads_nothing_and_runs_only_its_own_script() -> None:
    page = render_evaluation(evaluation(), [])
    sources = re.findall(r'(?:src|href|action|data-src)="([^"]*)"', page)
    assert sources
    assert all(source.startswith(("data:image/", "#")) for source in sources)
    assert "http" not in page.replace("http-equiv", "")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert policy
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in policy[1]
    assert policy[1].startswith("default-src &#39;none&#39;; img-src data:;")
    assert "innerHTML" not in page
    assert " style=" not in page


def test_a_page_without_cases_has_no_browser() -> None:
    page = render_evaluation(evaluation(cases=[]), [])
    assert 'id="filters"' not in page
    assert 'href="#cases"' not in page


def test_figures_are_drawn_of_what_there_is() -> None:
    assert draw_figures(evaluation()) == []
    panels = [Panel(HOSTILE.replace("\ud800", ""), "#0f766e", BINS, 0.2, [0, 4], [(0.0, 0.1), (0.9, 1.0)], 2)] * 5
    row = {"ID VER": {"accuracy": 50.0, "ece": None, "brier": 20.0}}
    figures = draw_figures(
        evaluation(
            panels=panels,
            curves=[RiskCoverage("a", [0.5, 1.0], [0.0, 0.25], 0.125)],
            confusions={"confusion-x": ("X", [Confusion("a", ["joy", "fear"], [[3, 1, 0], [0, 0, 0]])])},
            evolvement={"a": row, "b": row},
            published={"a": row},
        )
    )
    names = ["reliability", "confidence-histogram", "risk-coverage", "evolvement", "confusion-x"]
    assert [figure.name for figure in figures] == names
    assert "over repeats" in figures[1].caption
    assert len(figures[0].figure.subfigs) == 2  # five panels: three and two


def test_a_confusion_matrix_shows_shares_of_each_truth_in_the_given_order() -> None:
    axes = confusion_figure([Confusion("a", ["joy", "fear"], [[3, 1, 0], [0, 1, 1]])]).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["joy", "fear", "no label"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["joy  4", "fear  2"]
    assert {(text.get_position(), text.get_text()) for text in axes.texts} == {
        ((0, 0), "75"), ((1, 0), "25"), ((1, 1), "50"), ((2, 1), "50")
    }  # fmt: skip


def test_the_published_stages_are_dashed_beside_ours() -> None:
    row = {"ID VER": {"accuracy": 50.0, "ece": None, "brier": 20.0}}
    axes = evolvement_figure({"a": row, "b": row}, {"b": {"ID VER": {"accuracy": 40.0}}}).axes[0]
    ours, published = axes.lines
    assert (list(ours.get_ydata()), ours.get_linestyle()) == ([50.0, 50.0], "-")
    assert (list(published.get_xdata()), list(published.get_ydata())) == ([1], [40.0])
    assert published.get_linestyle() == "--"


def test_pictures_are_written_as_png_and_svg(tmp_path: Path) -> None:
    curve = RiskCoverage("a", [0.5, 1.0], [0.0, 0.25], 0.125)
    written = write_evaluation(evaluation(curves=[curve]), tmp_path / "new")
    assert [path.name for path in written] == ["report.html", "risk-coverage.png", "risk-coverage.svg"]
    assert Image.open(written[1]).format == "PNG"
    assert written[2].read_text().startswith("<svg")
    assert base64.b64encode(written[2].read_bytes()).decode() in written[0].read_text()


@pytest.mark.parametrize("label", ["$x", "\\frac{", "a$b$c", "%s {} \u2028"])
def test_labels_are_no_formulas(label: str) -> None:
    figure = NamedFigure("", "", "", "", confusion_figure([Confusion(label, [label], [[1, 0]])]))
    assert figure.svg.startswith("<svg")
