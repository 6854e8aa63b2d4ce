import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emocal_rl.cli.main import app
from emocal_rl.platform.errors import UserError


def invoke(*arguments: object) -> Result:
    result = CliRunner().invoke(app, ["eval", "score", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result


def row(name: str, label: str, response: str | None, **more: Any) -> dict[str, Any]:
    asked = {"id": name, "task": "scene context", "ground_truth": label, "candidates": ["Correct", "Incorrect"]}
    if response is None:
        return {"bench": "mvei", "original_data": asked, "error": "no answer"}
    return {"bench": "mvei", **asked, "response": response, **more}


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    rows = [
        row("a", "Correct", "Correct"),
        row("b", "Incorrect", "<answer>Correct</answer><confidence>0.7</confidence>"),
        row("c", "Incorrect", "[red]no idea"),
        row("d", "Correct", None),
    ]
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def test_the_rows_say_whose_they_are(predictions: Path, tmp_path: Path) -> None:
    lines = invoke(predictions).stdout.splitlines()
    assert lines[1].split() == [
        "MVEI", "Acc", "F1", "Yes", "rate", "Unread", "ECE", "Brier", "AUC", "Mean", "conf.", "Coverage", "n"
    ]  # fmt: skip
    overall = next(line.split() for line in lines if line.strip().startswith("Overall"))
    assert overall == ["Overall", "25.00", "50.00", "50.00", "50.00", "70.00", "49.00", "–", "70.00", "25.00", "4"]
    assert "Questions without an answer: 1 of 4" in lines
    report = json.loads(invoke(predictions, "--json", "--out", tmp_path / "scores").stdout)
    assert report["tables"]["MVEI"]["Overall"]["num_samples"] == 4
    assert json.loads((tmp_path / "scores" / "mvei.json").read_text()) == report
    assert invoke(predictions, "--bench", "mvei").stdout == "\n".join(lines) + "\n"


def test_options_of_vecbench_are_refused(predictions: Path) -> None:
    for options, message in {
        ("--bootstrap", 9): "--bootstrap = 9: goes with vecbench alone, not with mvei",
        ("--protocol", "official"): "--protocol = 'official': goes with vecbench alone",
        ("--explain",): "--explain = True: goes with vecbench alone",
        ("--bench", "mvie"): "must be one of: vecbench, synthvec, eemo, mvei.*Did you mean 'mvei'",
    }.items():
        with pytest.raises(UserError, match=message):
            invoke(predictions, *options)


def test_benchmarks_are_scored_apart(predictions: Path, tmp_path: Path) -> None:
    plain, mixed = tmp_path / "vecbench.jsonl", tmp_path / "mixed.jsonl"
    asked = {"task": "FI-2", "ground_truth": "positive", "candidates": ["positive", "negative"], "response": "positive"}
    plain.write_text(json.dumps({"id": "v", **asked}) + "\n")
    mixed.write_text(predictions.read_text() + plain.read_text())
    with pytest.raises(UserError, match=r"p\.jsonl:1 bench = 'mvei': is another benchmark's than .*, which is of vecb"):
        invoke(plain, predictions)
    with pytest.raises(UserError, match=r"vecbench\.jsonl:1 bench = 'vecbench': is another .*, which is of mvei"):
        invoke(predictions, plain)
    with pytest.raises(UserError, match=r"mixed\.jsonl:5 task = 'FI-2': is no task of mvei \(sentiment polarity, "):
        invoke(mixed)
    with pytest.raises(UserError, match=r"p\.jsonl:1 task = 'scene context': is no task of eemo \(perception, "):
        invoke(predictions, "--bench", "eemo")


def test_data_cannot_name_code(predictions: Path, tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')")
    first = json.loads(predictions.read_text().splitlines()[0])
    predictions.write_text(json.dumps({**first, "bench": f"{tmp_path}/evil.py:Suite"}) + "\n")
    with pytest.raises(UserError, match=r"p\.jsonl:1 bench = .*is a suite of somebody's own\. Name it, if you trust"):
        invoke(predictions)
