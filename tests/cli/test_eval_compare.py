import json
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app, main
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import Prediction, write_predictions
from emocal_rl.platform.errors import DataError, UserError

POLARITY = ("positive", "negative")


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """FI-2: one of two right; WebEmo-2: both; confidences .9, .8, .6 and .7."""
    rows = []
    for number, (task, right, stated) in enumerate(
        [("FI-2", True, 0.9), ("FI-2", False, 0.8), ("WebEmo-2", True, 0.6), ("WebEmo-2", True, 0.7)]
    ):
        sample = Sample(f"s{number}", ("/a.png",), "Q?", POLARITY, POLARITY[number % 2], task)
        answer = POLARITY[(number + (not right)) % 2]
        response = f"<answer>{answer}</answer><confidence>{stated}</confidence>"
        rows.append(Prediction.of(sample, response=response))
    path = tmp_path / "mine.jsonl"
    write_predictions(str(path), rows)
    return path


def compare(*arguments: object) -> str:
    command = ["eval", "compare", *map(str, arguments), "--bootstrap", "0"]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_text_is_the_default_with_every_table_that_has_tasks(predictions: Path) -> None:
    lines = [line.split() for line in compare(predictions).splitlines()]
    assert [line for line in lines if line[:1] == ["mine"]] == [
        ["mine", "50.00", "33.33", "100.00*", "100.00*", "75.00", "66.67"],
        ["mine", "Verb", "–", "–", "–", "40.00", "22.50", "33.33", "–", "–", "–"],
        ["mine", "–", "–", "–", "75.00", "40.00", "22.50", "–", "–", "–"],
    ]
    assert ["GPT-5", "(OpenAI,", "2025)", "88.60*", "88.40*", "73.70", "73.51", "81.15", "80.96"] in lines


def test_markdown(predictions: Path) -> None:
    lines = compare(f"a|b={predictions}", "--table", 3, "--format", "markdown").splitlines()
    assert lines[2].startswith(r"| Model | FI\-2 Acc ↑ | FI\-2 F1 ↑ |")
    assert (
        r"| EmoCaliber | <ins>88.10</ins> | <ins>88.16</ins> | 75.80 | <ins>75.78</ins> | **81.95** | **81.97** |"
        in lines
    )
    assert r"| a\|b | 50.00 | 33.33 | **100.00** | **100.00** | 75.00 | 66.67 |" in lines


def test_latex_into_a_file(predictions: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "table.tex"
    assert compare(f"50%={predictions}", "--table", 3, "--no-published", "--format", "latex", "--out", out) == ""
    text = out.read_text()
    assert r"50\% & 50.00 & 33.33 & 100.00 & 100.00 & 75.00 & 66.67 \\" in text
    assert r"\cmidrule(lr){2-3}\cmidrule(lr){4-5}\cmidrule(lr){6-7}" in text
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    assert "EmoCaliber" not in text


def test_html(predictions: Path) -> None:
    page = compare(f"<b>={predictions}", "--table", 6, "--format", "html")
    assert page.startswith("<!doctype html>")
    assert "<tr><th>&lt;b&gt;</th>" in page
    values = re.findall(r"<span>(.*?)</span>", page.split("&lt;b&gt;")[1].split("</tr>")[0])
    assert values == ["–", "–", "–", "75.00", "40.00", "22.50", "–", "–", "–"]


def test_intervals_are_on_ours(predictions: Path) -> None:
    command = ["eval", "compare", str(predictions), "--table", "6", "--no-published", "--bootstrap", "50"]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert (
        "Intervals: 95 % BCa bootstrap over samples (basic where too biased for it), stratified by task."
        in result.stdout
    )
    assert "resampling mine" in result.stderr


def test_json_has_every_value(predictions: Path) -> None:
    (table,) = json.loads(compare(predictions, "--table", 6, "--no-published", "--json"))
    column = {"group": "ID VSA", "title": "Acc", "lower_is_better": False}
    assert table["columns"][3] == column
    (row,) = table["rows"]
    assert row["label"] == "mine"
    assert row["cells"][3] == {"value": 75.0, "interval": None, "is_partial": False}


def test_another_seed_draws_other_resamples(predictions: Path) -> None:
    command = ["eval", "compare", str(predictions), "--table", "6", "--no-published", "--bootstrap", "9", "--json"]
    drawn = [CliRunner().invoke(app, [*command, "--seed", seed], catch_exceptions=False).stdout for seed in "001"]
    assert drawn[0] == drawn[1] != drawn[2]


def test_no_task_of_the_table(predictions: Path) -> None:
    with pytest.raises(UserError, match=r"--table = '2': the predictions have no task of this table"):
        compare(predictions, "--table", 2)


def test_a_missing_file_and_an_unwritable_one(predictions: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        compare(tmp_path / "none.jsonl")
    with pytest.raises(UserError, match=r"--out = .*: cannot be written: "):
        compare(predictions, "--out", predictions / "table.txt")


def test_a_table_of_another_number_is_refused(predictions: Path) -> None:
    result = CliRunner().invoke(app, ["eval", "compare", str(predictions), "--table", "7"])
    assert result.exit_code == 2
    assert "less than or equal to 6" in result.stderr


def test_a_users_mistake_is_exit_code_2(
    predictions: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["emocal-rl", "eval", "compare", str(predictions), f"x={predictions}"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "is given twice. Name every file once." in capsys.readouterr().err
