import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.errors import UserError

# Table 1 of the paper, a hundredth of it, by floor
TABLE_1 = {
    "stage-1": {"EmoSet-8": 300, "WebEmo-25": 123, "WebEmo-7": 155, "FI-8": 35, "WebEmo-2": 212, "FI-2": 33},
    "stage-2": {"EmoSet-8": 149, "WebEmo-25": 60, "WebEmo-7": 78, "FI-8": 17, "WebEmo-2": 105, "FI-2": 17},
}


def invoke(*arguments: object, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, ["data", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == exit_code
    return result.stdout


def demonstrations(sources: dict[str, int], image: Path) -> Iterator[DemonstrationSample]:
    for task, count in sources.items():
        for index in range(count):
            sample = Sample(f"{task}-{index}", (str(image),), "Which?", ("positive", "negative"), "positive", task)
            yield DemonstrationSample(sample, "<answer>positive</answer>")


@pytest.fixture
def corpus(tmp_path: Path) -> list[Path]:
    Image.new("RGB", (8, 4), "red").save(tmp_path / "a.png")
    for name, sources in TABLE_1.items():
        write_vec_cot(str(tmp_path / f"{name}.jsonl"), demonstrations(sources, tmp_path / "a.png"))
    return [tmp_path / f"{name}.jsonl" for name in TABLE_1]


def test_stats_prints_table_1(corpus: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "corpus.html"
    lines = [line.split() for line in invoke("stats", *corpus, "--no-images", "--out", page).splitlines()]
    assert ["Stage", "EmoSet", "WebEmo-25", "WebEmo-7", "FI-8", "WebEmo-2", "FI-2", "Total"] in lines
    assert ["stage-1", "300", "123", "155", "35", "212", "33", "858"] in lines
    assert ["stage-2", "149", "60", "78", "17", "105", "17", "426"] in lines
    assert ["total", "449", "183", "233", "52", "317", "50", "1,284"] in lines
    assert "<h2>Rows by stage and source</h2>" in page.read_text()


def test_stats_for_machines(corpus: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "other.parquet"
    invoke("convert", corpus[1], target, "--to", "verl", "--drop", "response")
    read = [json.loads(invoke("stats", file, "--json"))["stages"][0] for file in (corpus[1], target)]
    assert read[0]["sources"] == TABLE_1["stage-2"]
    assert read[0]["pixels"] == {"count": 426, "min": 32, "p5": 32, "median": 32, "mean": 32, "p95": 32, "max": 32}
    assert (read[0]["response_length"]["count"], read[1]["response_length"]) == (426, None)


def test_convert_says_what_it_did(corpus: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "out" / "x.parquet"
    said = invoke("convert", corpus[1], target, "--to", "verl", "--drop", "response", "--verify").splitlines()
    assert said == [
        f"{target}: 426 rows, without 426 x response, read back and equal",
        f"Its images are relative to {tmp_path}: read it with that image root.",
    ]
    with pytest.raises(UserError, match=r"--to = 'verk': must be one of: .*Did you mean 'verl'"):
        invoke("convert", corpus[1], target, "--to", "verk")


def test_validate_finds_and_caps(corpus: list[Path], tmp_path: Path) -> None:
    assert invoke("validate", *corpus).splitlines() == ["No problems."]
    test = tmp_path / "test.jsonl"
    test.write_text(corpus[1].read_text().splitlines()[0] + "\n")
    broken = tmp_path / "broken.jsonl"
    broken.write_text(corpus[1].read_text().splitlines()[1] + "\n{\n")
    said = invoke("validate", broken, "--test", test, "--max-problems", 1, exit_code=1).splitlines()
    assert said[0].startswith(f"{broken}:1: [leak] {tmp_path}/a.png is the test image of {test}:1")
    assert said[1:] == ["2 problems: 1 leak, 1 json; 1 not shown, see --max-problems"]
    found = json.loads(invoke("validate", broken, "--json", exit_code=1))
    assert (found["num_problems"], found["by_rule"]) == (1, {"json": 1})
    assert (found["problems"][0]["file"], found["problems"][0]["line"]) == (str(broken), 2)


def test_split_says_what_it_wrote(corpus: list[Path], tmp_path: Path) -> None:
    source = corpus[1].rename(tmp_path / "all.jsonl")
    said = invoke("split", source, "--out", tmp_path / "out").splitlines()
    # one picture: the group goes where most rows are due
    assert ["stage-1", "149", "60", "78", "17", "105", "17", "426"] in [line.split() for line in said]
    assert "1 images stand in more than one row; each is in one stage." in said
    assert "FI-2: [17, 0, 0] rows instead of [10, 5, 2], because of shared images." in said
    assert said[-2:] == [
        f"{tmp_path}/out/stage-3.jsonl",
        f"Image references are relative to {tmp_path}: read the files with that image root.",
    ]


def test_view(corpus: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "pages" / "x.html"
    assert invoke("view", corpus[0], "--out", page, "--limit", 5) == f"{page}\n"
    assert "5 of 858 rows" in page.read_text()
    with pytest.raises(UserError, match=r"must be a .png or .html file"):
        invoke("stats", corpus[0], "--out", tmp_path / "x.pdf")
