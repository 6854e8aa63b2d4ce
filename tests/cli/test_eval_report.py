import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.errors import DataError, UserError


@pytest.fixture(scope="module")
def predictions(tmp_path_factory: pytest.TempPathFactory, write_example_predictions) -> Path:
    return write_example_predictions(tmp_path_factory.mktemp("predictions") / "mine.jsonl", count=6)


def report(*arguments: object) -> list[Path]:
    command = ["eval", "report", *map(str, arguments), "--bootstrap", "0"]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0
    return [Path(line) for line in result.stdout.splitlines()]


def test_the_report_and_its_pictures(predictions: Path, tmp_path: Path) -> None:
    written = report(predictions, "--group", "ID VSA", "--cases", 8, "--out", tmp_path / "new" / "out")
    pictures = ["reliability", "confidence-histogram", "risk-coverage", "confusion-polarity2"]
    names = ["report.html", *(f"{name}.{suffix}" for name in pictures for suffix in ("png", "svg"))]
    assert [path.name for path in written] == names
    assert sorted((tmp_path / "new" / "out").iterdir()) == sorted(written)
    page = written[0].read_text()
    assert re.findall(r"<h1>(.*?)</h1>", page) == ["mine"]
    assert re.findall(r'<img src="data:image/svg[^"]*" alt="([^"]*)"', page)[0] == "Reliability diagram"
    data = json.loads(re.findall(r'id="data">(.*?)</script>', page)[0])
    assert [case["task"] for case in data["cases"]] == ["FI-2"] * 4 + ["WebEmo-2"] * 4
    assert all(case["image"].startswith("data:image/jpeg;base64,") for case in data["cases"])
    part = next(p["parts"]["analysis"] for case in data["cases"] for p in case["predictions"] if p["response"])
    assert part.startswith("The analysis of image ")


def test_a_report_needs_a_known_group_that_is_there(predictions: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"--group = 'id vsa': must be one of: ID VSA, ID VER, OOD VER\. Did you mean 'ID"
    ):
        report(predictions, "--group", "id vsa", "--out", tmp_path)
    with pytest.raises(DataError, match="there is no such file"):
        report(tmp_path / "none.jsonl", "--out", tmp_path)


def test_a_report_needs_a_folder_it_can_write(predictions: Path) -> None:
    with pytest.raises(UserError, match=r"--out = .*: cannot be written: File exists"):
        report(predictions, "--group", "ID VSA", "--cases", 0, "--out", predictions)
