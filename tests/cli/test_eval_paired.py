import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.data.vecbench import Prediction, write_predictions
from emocal_rl.platform.errors import DataError

POLARITY = ("positive", "negative")


def write(path: Path, right: str, confidence: float, *, prefix: str = "") -> str:
    """One FI-2 prediction per letter of `right`: y is right, n wrong, - states no confidence, ! a failed inference."""
    rows = []
    for number, letter in enumerate(right):
        stated = "" if letter == "-" else f"<confidence>{confidence + number / 1000:.3f}</confidence>"
        answer = "negative" if letter == "n" else "positive"
        rows.append(
            Prediction(
                f"{prefix}{number}", (f"/images/{number}.png",), "?", POLARITY, "positive", "FI-2",
                response=None if letter == "!" else f"<answer>{answer}</answer>{stated}",
                error="timeout" if letter == "!" else None,
            )
        )  # fmt: skip
    write_predictions(str(path), rows)
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return [
        write(tmp_path / "a.jsonl", "ynynynynynnn!-yy", 0.8),
        write(tmp_path / "b.jsonl.gz", "yyyyynynyyny-yyn", 0.6),
    ]


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["eval", "paired", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_json(files: list[str]) -> None:
    shown = json.loads(invoke(*files, "--bootstrap", 200, "--json"))
    overall = shown["overall"]
    assert (shown["first"], shown["num_resamples"], shown["level"]) == (files[0], 200, 0.95)
    assert (overall["num_samples"], overall["num_stated"]) == (16, 14)
    assert (overall["only_first_right"], overall["only_second_right"]) == (1, 5)
    assert overall["mcnemar_p"] == pytest.approx(2 * (1 + 6) / 2**6)
    accuracy = overall["metrics"]["accuracy"]
    assert (accuracy["first"], accuracy["second"], accuracy["difference"]) == (0.5, 0.75, 0.25)
    assert accuracy["interval"]["lower"] < 0.25 < accuracy["interval"]["upper"]
    assert shown["groups"].keys() == {"ID VSA"}
    assert shown == json.loads(invoke(*files, "--bootstrap", 200, "--json"))


def test_the_table(files: list[str]) -> None:
    lines = invoke(*files, "--bootstrap", 50).splitlines()
    accuracy = [line.split() for line in lines if "Accuracy" in line]
    assert [line[:4] for line in accuracy] == [["Accuracy", "50.00", "75.00", "+25.00"]] * 2
    assert "Overall: only A right 1, only B right 5; McNemar p = 0.219" in lines
    assert any("Overall (16, both stated 14)" in line for line in lines)


def test_different_samples_are_refused_by_name(files: list[str], tmp_path: Path) -> None:
    other = write(tmp_path / "c.jsonl", "yy", 0.5, prefix="x")
    with pytest.raises(DataError, match=r"a\.jsonl: 16 of its samples are not in .*c\.jsonl: 0, 1, 2 and 13 more"):
        invoke(files[0], other)
