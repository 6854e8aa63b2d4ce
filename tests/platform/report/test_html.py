import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from emocal_rl.platform.report.data import ReportData, load_report_data
from emocal_rl.platform.report.html import format_duration, format_number, render_report, write_report
from emocal_rl.platform.runs.directory import RunDirectory

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)> & \u2028 <!-- \x00 é"


@pytest.fixture(scope="module")
def data(fake_run: RunDirectory) -> ReportData:
    return load_report_data(fake_run.path, lambda reference: Path(reference).read_bytes())


@pytest.fixture(scope="module")
def page(data: ReportData) -> str:
    return render_report(data)


def embedded(page: str) -> list[dict[str, object]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    groups: list[dict[str, object]] = json.loads(found[1])
    return groups


def test_the_table_has_before_after_and_oracle(page: str) -> None:
    text = re.sub(r"<[^>]+>|\s+", " ", page)
    text = re.sub(r" +", " ", text)
    assert "Sampled at T = 1, in-domain tasks Cold start 0.464 0.460 0.246 0.242 0.325 0.321" in text
    assert (
        "Calibrated 0.465 0.461 0.054 0.050 0.235 0.231 0.630 0.626 0.461 0.457 Oracle 0.638 0.000 0.159 0.840" in text
    )
    assert "Greedy, all tasks Cold start 0.544" in text
    assert text.index("Sampled at T = 1, all tasks") < text.index("Greedy, in-domain tasks")


def test_the_page_loads_nothing_from_elsewhere(page: str) -> None:
    sources = re.findall(r'(?:src|href|action|data-src)="([^"]*)"', page)
    assert sources
    assert all(source.startswith(("data:image/", "#")) for source in sources)
    assert "http" not in re.sub(r"data:image/[^\"]*", "", page).replace("http-equiv", "")


def test_only_our_own_script_and_style_may_run(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    allowed = policy[1].replace("&#39;", "'")
    assert allowed.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    for name, pattern in (("style", r"<style>(.*?)</style>"), ("script", r"<script>(.*?)</script>")):
        content = re.search(pattern, page, re.DOTALL)
        assert content
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in allowed
    assert " style=" not in page
    assert not re.search(r"\son\w+=", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))


def test_every_sample_is_embedded(page: str, data: ReportData) -> None:
    groups = embedded(page)
    assert groups == [group.to_dict() for group in data.groups]
    assert all(str(group["image"]).startswith("data:image/jpeg;base64,") for group in groups)


def test_model_output_data_and_config_are_escaped(data: ReportData) -> None:
    group = data.groups[0]
    response = replace(group.responses[0], text=HOSTILE, answer=HOSTILE)
    hostile = replace(
        data,
        groups=[replace(group, question=HOSTILE, label=HOSTILE, task=HOSTILE, responses=[response])],
        config_yaml=HOSTILE,
        events=[{"name": HOSTILE, "message": HOSTILE, "time": 0.0}],
        notes=[HOSTILE],
        manifest={**data.manifest, "command": [HOSTILE], "error": HOSTILE},
        evaluations={},
        train=[],
        sft=[],
    )
    page = render_report(hostile)
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert embedded(page)[0]["question"] == HOSTILE


def test_a_run_says_by_which_rules_it_was_rewarded(data: ReportData) -> None:
    sha256 = "0123456789abcdef" * 4
    rule = {"rule": "tsallis", "weight": 2.0, "params": {"order": 1.5}, "source": "/me/tsallis.py", "sha256": sha256}
    off = {"rule": "format", "weight": 0.0, "params": {}, "source": "/f.py", "sha256": sha256}
    server = {"rule": "http://h/s", "weight": 1.0, "params": {}, "source": "http://h/s", "sha256": None}
    reward = {"format": off, "correctness": server, "confidence": rule}
    manifest = {**data.manifest, "reward": reward, "audit": "proper; no decoy"}
    page = render_report(replace(data, manifest=manifest, groups=[], train=[], sft=[], evaluations={}))
    rows = dict(re.findall(r"<tr><th>(.*?)</th><td>(.*?)</td></tr>", page))
    assert rows["Reward: confidence"] == "2 × tsallis (order 1.5), /me/tsallis.py, sha256 0123456789ab"
    assert rows["Reward: correctness"] == "1 × http://h/s"
    assert rows["Audit"] == "proper; no decoy"
    assert "Reward: format" not in rows


def test_figures_are_inline_vector_images(page: str) -> None:
    titles = re.findall(r'<img src="data:image/svg\+xml;base64,[^"]+" alt="([^"]+)"', page)
    assert titles == [
        "Reliability diagram",
        "Confidence histogram",
        "Learning curves",
        "Supervised losses",
        "Time by phase",
    ]


def test_a_run_that_has_only_begun_still_has_a_report(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, "bare") as run:
        page = write_report(run).read_text()
    assert "This run has no evaluation after training." in page
    assert "No evaluation yet." in page
    assert "<figure>" not in page
    assert 'id="filters"' not in page


def test_evaluation_alone_shows_the_cold_start(data: ReportData) -> None:
    before = {name: one for name, one in data.evaluations.items() if name == "before_sampled"}
    page = render_report(replace(data, evaluations=before, train=[], sft=[]))
    assert "Cold start" in page
    assert "<th>Calibrated</th>" not in page
    assert page.count("<figure>") == 2


def test_the_same_run_draws_the_same_page(data: ReportData, page: str) -> None:
    assert render_report(data) == page


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0.4, "0 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s"), (7620, "2 h 7 min")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert format_duration(seconds) == text


def test_numbers() -> None:
    assert (format_number(None), format_number(0.05449), format_number(2.5, 1)) == ("–", "0.054", "2.5")
