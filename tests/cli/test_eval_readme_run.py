"""The run that the released code's README shows, rebuilt from its hit counts, through the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.data.jsonl import write_jsonl
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_task

OFFICIAL = {
    "Abstract-8": ("29.26", "229"),
    "Artphoto-8": ("41.94", "806"),
    "EmoSet-8": ("68.10", "1000"),
    "FI-2": ("88.10", "1000"),
    "FI-8": ("69.70", "1000"),
    "UnbiasedEmo-6": ("79.90", "1000"),
    "WebEmo-2": ("75.80", "1000"),
    "WebEmo-7": ("54.00", "1000"),
    "WebEmo-25": ("28.28", "997"),
    "ID VSA": ("81.95", "2000"),
    "ID VER": ("55.04", "3997"),
    "OOD VER": ("59.16", "2035"),
}


@pytest.fixture(scope="module")
def file(released_hits: dict[str, tuple[int, int]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = []
    for task, (hits, count) in released_hits.items():
        labels = taxonomy_of_task(task).labels
        for number in range(count):
            label = labels[number % len(labels)]
            answer = label if number < hits else labels[(number + 1) % len(labels)]
            response = f"<answer>{answer}</answer><confidence>0.65</confidence>"
            rows.append({"task": task, "ground_truth": label, "candidates": list(labels), "response": response})
    path = tmp_path_factory.mktemp("readme") / "predictions.jsonl"
    write_jsonl(str(path), rows)
    return path


def score(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["eval", "score", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_official_prints_and_logs_every_accuracy(file: Path, tmp_path: Path) -> None:
    printed = score(file, "--protocol", "official", "--out", tmp_path)
    for name, (accuracy, count) in OFFICIAL.items():
        (line,) = (line for line in printed.splitlines() if line.strip().startswith(f"{name} "))
        cells = line.removeprefix(f" {name}").split()
        assert (cells[0], cells[-1]) == (accuracy, count)
    logged = [line.split("|")[1:-1] for line in (tmp_path / "metric_conf.log").read_text().splitlines() if "|" in line]
    found = {cells[0].strip(): (cells[1].strip(), cells[-1].strip()) for cells in logged[1:]}
    assert list(found) == [*OFFICIAL, "Overall"]
    assert {name: found[name] for name in OFFICIAL} == OFFICIAL
    assert found["Overall"][1] == "8032"


def test_strict_prints_the_micro_accuracy(file: Path) -> None:
    (line,) = (line for line in score(file).splitlines() if line.strip().startswith("Overall "))
    assert (line.split()[1], line.split()[-1]) == ("62.79", "8032")
