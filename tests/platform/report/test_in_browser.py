"""The pages in a real browser: no console message, whatever a model wrote. Skipped where there is no Chromium."""

import html
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.report.cases import Case, ShownPrediction
from emocal_rl.platform.report.data import load_report_data
from emocal_rl.platform.report.dataset_page import render_samples
from emocal_rl.platform.report.evaluation_page import Evaluation, render_evaluation
from emocal_rl.platform.report.html import render_report
from emocal_rl.platform.report.results.table import Cell, Column, ResultRow, ResultTable
from emocal_rl.platform.runs.directory import RunDirectory

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> <!-- \x00\u2028\ud800"


def open_page(path: Path, profile: Path, *, fragment: str = "") -> tuple[str, list[str]]:
    """Return the document as it stands after its scripts have run, and what the console got."""
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--enable-logging=stderr", f"--user-data-dir={profile}", "--dump-dom", f"{path.as_uri()}{fragment}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=300, check=True)
    return done.stdout, re.findall(r"CONSOLE.*", done.stderr)


def prediction(model: int, answer: str | None, confidence: float | None, *, correct: bool) -> ShownPrediction:
    return ShownPrediction(
        model, HOSTILE, None, {"element": HOSTILE}, answer, HOSTILE, confidence, None, correct, well_formed=True
    )


def hostile_evaluation() -> Evaluation:
    failed = ShownPrediction(
        1, None, HOSTILE, {}, None, None, None, "inference_error", correct=False, well_formed=False
    )
    cases = [
        Case("one", "FI-8", "", HOSTILE, HOSTILE, [prediction(0, "awe", 0.9, correct=True), failed]),
        Case("two", "FI-2", "javascript:alert(1)", "Q", "fear", [prediction(0, None, 0.95, correct=False)]),
        Case("three", HOSTILE, "", "Q", "fear", [prediction(1, "awe", 0.3, correct=False)]),
    ]
    table = ResultTable(HOSTILE, [Column(HOSTILE, "Acc")], [ResultRow(HOSTILE, [Cell(50.0)])])
    return Evaluation("Title", [HOSTILE], [HOSTILE], [table], [], [], {}, {}, None, [HOSTILE, "b"], cases)


def test_an_evaluation_with_hostile_output(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(render_evaluation(hostile_evaluation(), []), encoding="utf-8")
    document, console = open_page(page, tmp_path / "profile", fragment="#outcome=wrong&least=0.5")
    assert console == []
    assert "<title>Title · emocal-rl</title>" in document
    assert re.findall(r'id="count">([^<]*)<', document) == ["1 of 3 cases"]
    shown = re.findall(r'class="where">([^<]*)<', document)
    assert shown == ["FI-2 · two"]
    body = re.sub(r"<script.*?</script>", "", document, flags=re.DOTALL)
    assert "<img" not in body
    assert html.escape("<img src=x onerror=", quote=False) in body


def test_the_other_pages_and_that_the_console_is_heard(tmp_path: Path, fake_run: RunDirectory) -> None:
    data = replace(load_report_data(fake_run.path), evaluations={}, train=[], sft=[])
    sample = DemonstrationSample(Sample("a", ("a.png",), HOSTILE, ("awe",), "awe", "FI-8"), HOSTILE)
    pages = {
        "run": render_report(data),
        "dataset": render_samples("x", [sample], 1, lambda _: None),
        "broken": "<!doctype html><script>console.error('heard')</script>",
    }
    for name, page in pages.items():
        (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")
    frames = "".join(f'<iframe src="{name}.html"></iframe>' for name in pages)
    (tmp_path / "all.html").write_text(f"<!doctype html>{frames}", encoding="utf-8")
    _, console = open_page(tmp_path / "all.html", tmp_path / "profile")
    assert len(console) == 1
    assert "heard" in console[0]
