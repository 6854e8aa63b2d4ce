import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.data.vecbench import Prediction, read_predictions, write_predictions
from emocal_rl.platform.errors import DataError, UserError

POLARITY = ("positive", "negative")


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """Sixty overconfident ones, a percent and a failed inference."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(62):
        confidence = "85%" if number == 60 else f"{rng.beta(9, 2):.2f}"
        answer = "positive" if rng.random() < 0.5 else "negative"
        response = f"<answer>{answer}</answer><confidence>{confidence}</confidence>"
        failed, task = number == 61, "FI-2" if number % 2 else "WebEmo-2"
        rows.append(
            Prediction(
                f"s{number}", (str(tmp_path / "a.png"),), "?", POLARITY, "positive", task,
                response=None if failed else response, error="timeout" if failed else None,
            )
        )  # fmt: skip
    path = tmp_path / "predictions.jsonl"
    write_predictions(str(path), rows)
    return path


def invoke(*arguments: object, command: str = "recalibrate") -> str:
    result = CliRunner().invoke(app, ["eval", command, *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_what_is_printed_is_what_the_written_files_score(predictions: Path, tmp_path: Path) -> None:
    reports = json.loads(invoke(predictions, "--json", "--out", tmp_path / "out"))["reports"]
    assert list(reports) == ["stated", "temperature", "platt", "beta", "isotonic"]
    assert reports["stated"] == json.loads(invoke(predictions, "--json", command="score"))
    for method in ("temperature", "platt", "beta", "isotonic"):
        scored = json.loads(invoke(tmp_path / "out" / f"{method}.jsonl", "--json", command="score"))
        assert scored == reports[method]
        assert scored["overall"]["brier"] < reports["stated"]["overall"]["brier"] - 0.03
    written = list(read_predictions(str(tmp_path / "out" / "platt.jsonl")))
    assert [row.error for row in written[-2:]] == [None, "timeout"]
    assert "85%" in str(written[-2].response)


def test_the_table_has_before_and_after_by_group(predictions: Path) -> None:
    lines = [line.split() for line in invoke(predictions, "--method", "isotonic", "--folds", 3).splitlines()]
    report = json.loads(invoke(predictions, "--json", command="score"))["groups"]["ID VSA"]
    expected = [f"{100 * report[name]:.2f}" for name in ("ece", "brier", "auc", "mean_confidence")]
    assert [line[1:] for line in lines if line[:1] == ["stated"]] == [expected] * 2
    assert len([line for line in lines if line[:1] == ["isotonic"]]) == 2
    assert ["ID", "VSA", "(60", "of", "62", "stated)"] in lines


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "platts"], r"--method = 'platts': must be one of: temperature, .*Did you mean 'platt'"),
        (["--per", "model"], r"--per = 'model': must be one of: overall, group, task"),
        (["--folds", 61], r"FI-2, WebEmo-2: states 60 valid confidence\(s\), which do not fill 61 folds"),
    ],
)
def test_bad_options(predictions: Path, arguments: list[object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        invoke(predictions, *arguments)


def test_a_repeated_id_in_two_files(predictions: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(predictions.read_bytes())
    with pytest.raises(
        DataError, match=r"copy\.jsonl:1 id = 's0': must be unique over all files; .*predictions\.jsonl:1"
    ):
        invoke(predictions, copy)
