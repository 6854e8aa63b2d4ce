import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.data.vecbench import Prediction, write_predictions


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """FI-2: right at .9, wrong at .7, right at .7, one that states nothing; WebEmo-2: one that states nothing."""
    said = [("positive", "0.9"), ("negative", "0.7"), ("positive", "0.7"), ("positive", None), ("positive", None)]
    rows = [
        Prediction(
            str(number), ("/a.png",), "?", ("positive", "negative"), "positive", "FI-2" if number < 4 else "WebEmo-2",
            response=f"<answer>{answer}</answer>" + (f"<confidence>{stated}</confidence>" if stated else ""),
        )
        for number, (answer, stated) in enumerate(said)
    ]  # fmt: skip
    path = tmp_path / "predictions.jsonl"
    write_predictions(str(path), rows)
    return path


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["eval", "statistics", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_json(predictions: Path) -> None:
    shown = json.loads(invoke(predictions, "--classes", "--json"))
    assert list(shown["statistics"]) == ["FI-2", "WebEmo-2", "ID VSA", "Overall"]
    assert shown["statistics"]["WebEmo-2"] is None
    overall = shown["statistics"]["Overall"]
    assert (overall["num_samples"], overall["num_stated"]) == (5, 3)
    assert overall["ece"] == pytest.approx((0.1 + 2 * 0.2) / 3)
    assert overall["mce"] == pytest.approx(0.2)
    assert overall["brier"] == pytest.approx((0.01 + 0.49 + 0.09) / 3)
    assert overall["decomposition"]["uncertainty"] == pytest.approx(2 / 9)
    assert overall["aurc"] == pytest.approx((0 + 0.5 / 2 + 1 / 3) / 3)
    assert overall["accuracy_at_coverage"]["0.5"] == pytest.approx(1 - 0.5 / 2)
    assert [row["recall"] for row in shown["classes"]] == [0.75, 1.0]


def test_the_tables(predictions: Path) -> None:
    lines = [line.split() for line in invoke(predictions, "--classes").splitlines()]
    assert ["ID", "VSA", "Overall"] in lines
    assert ["stated", "3", "/", "5", "3", "/", "5"] in lines
    assert ["ECE", "16.67", "16.67"] in lines
    assert ["reliability", "debiased"] in [line[:2] for line in lines]
    assert ["FI-2", "positive", "4", "3", "100.00", "75.00", "85.71", "76.67"] in lines


def test_tasks_on_demand(predictions: Path) -> None:
    lines = [line.split() for line in invoke(predictions, "--tasks").splitlines()]
    assert ["FI-2", "ID", "VSA", "Overall"] in lines  # WebEmo-2 states nothing
    assert ["stated", "3", "/", "4", "3", "/", "5", "3", "/", "5"] in lines


def test_nothing_stated(tmp_path: Path) -> None:
    path = str(tmp_path / "silent.jsonl")
    silent = Prediction("1", ("/a.png",), "?", ("awe", "fear"), "awe", "FI-8", response="<answer>awe</answer>")
    write_predictions(path, [silent])
    assert invoke(path) == "No response states a valid confidence.\n"
