import json
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.benchmarks.suites.answer_files import bench_of_file, read_answers
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import SilentProgress

ROW = {"bench": "eemo", "id": "a", "task": "ranking", "ground_truth": "{}", "candidates": ["joy"], "response": "[joy]"}


def write(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_answers_come_with_all_that_was_found(tmp_path: Path) -> None:
    found = {"first_words": {"High": 0.25, "Low": 0.75}, "judge_scores": [2, 0], "confidence_ans": 0.5}
    failed = {"bench": "eemo", "original_data": {**ROW, "id": "b"}, "error": "no answer"}
    url = write(tmp_path / "p.jsonl", {**ROW, **found}, failed)
    first, second = read_answers([url], SilentProgress())
    assert (first.response, first.confidence_ans, first.confidence_avg) == ("[joy]", 0.5, None)
    assert (first.first_words, first.judge_scores) == ({"High": 0.25, "Low": 0.75}, (2, 0))
    assert (second.sample.id, second.response, second.error, second.judge_scores) == ("b", None, "no answer", ())
    assert bench_of_file(url) == "eemo"
    assert bench_of_file(write(tmp_path / "v.jsonl", {"id": "x"})) is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"response": None}, r"p\.jsonl:2 response: must be the model's response"),
        ({"task": ""}, r"p\.jsonl:2 task = '': must be a non-empty string"),
        ({"first_words": {"High": 2}}, r"p\.jsonl:2 first_words = .*must be probabilities"),
        ({"judge_scores": [3]}, r"p\.jsonl:2 judge_scores = 3: must be 0, 1 or 2"),
        ({"judge_scores": 2}, r"p\.jsonl:2 judge_scores = 2: must be a list"),
        ({"id": "a"}, r"p\.jsonl:2 id = 'a': must be unique over all files; .*p\.jsonl:1 has it too"),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_answers([write(tmp_path / "p.jsonl", ROW, {**ROW, "id": "b", **changed})], SilentProgress())
