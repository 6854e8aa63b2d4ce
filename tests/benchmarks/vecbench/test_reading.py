import json
from pathlib import Path

import pytest

from emocal_rl.benchmarks.vecbench import reading
from emocal_rl.benchmarks.vecbench.outcomes import concatenate
from emocal_rl.benchmarks.vecbench.reading import read_parts
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.jsonl import jsonl_line, read_jsonl, write_jsonl
from emocal_rl.platform.data.vecbench import Prediction, read_predictions, write_predictions
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import SilentProgress


class Counting(SilentProgress):
    """Remembers how many rows there were said to be and were read."""

    def __init__(self) -> None:
        self.total: int | None = -1
        self.done = 0

    def phase(self, name: str, total: int | None = None) -> None:
        assert name == "reading predictions"
        self.total = total

    def advance(self, count: int = 1) -> None:
        self.done += count


def write_shard(path: Path, *sample_ids: str, named: bool = True) -> str:
    samples = [Sample(name, ("a.png",), "Q?", ("awe", "fear"), "awe", "FI-8") for name in sample_ids]
    write_predictions(str(path), [Prediction.of(sample, response="<answer>awe</answer>") for sample in samples])
    if not named:
        rows = [{key: value for key, value in row.items() if key != "id"} for _, row in read_jsonl(str(path))]
        write_jsonl(str(path), rows)
    return str(path)


def read(*urls: str, progress=None):
    return list(read_parts(urls, ["strict"], progress or SilentProgress()))


def num_rows(*urls: str) -> int:
    return len(concatenate([part.outcomes["strict"] for part in read(*urls)]))


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst", ".bz2"])
def test_shards_are_one_set_however_they_are_packed(tmp_path: Path, suffix: str) -> None:
    files = [write_shard(tmp_path / "0.jsonl", "a", "b"), write_shard(tmp_path / f"1.jsonl{suffix}", "c")]
    progress = Counting()
    parts = read(*files, progress=progress)
    assert [name for part in parts for name, _ in part.ids] == ["a", "b", "c"]
    assert (progress.total, progress.done) == (None if suffix else 3, 3)


def test_a_remote_file() -> None:
    url = "memory://scores/predictions.jsonl"
    write_jsonl(url, [{"task": "FI-8", "ground_truth": "awe", "candidates": ["awe", "fear"], "response": ""}])
    assert num_rows(url) == 1


def test_two_shards_with_one_id(tmp_path: Path) -> None:
    files = [write_shard(tmp_path / "0.jsonl", "a", "b"), write_shard(tmp_path / "1.jsonl", "c", "b")]
    with pytest.raises(DataError, match=r"1\.jsonl:2 id = 'b': must be unique over all files; .*0\.jsonl:2 has it too"):
        read(*files)


def test_one_file_with_an_id_twice(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"0\.jsonl:3 id = 'a': .*0\.jsonl:1 has it too"):
        read(write_shard(tmp_path / "0.jsonl", "a", "b", "a"))


def test_rows_without_an_id_in_files_of_one_name_are_different_samples(tmp_path: Path) -> None:
    files = [write_shard(tmp_path / rank / "out.jsonl", "a", "b", named=False) for rank in ("0", "1")]
    assert num_rows(*files) == 4


def test_a_file_given_twice(tmp_path: Path) -> None:
    file = write_shard(tmp_path / "out.jsonl", "a", named=False)
    with pytest.raises(DataError, match="is given twice"):
        read(file, f"{tmp_path}/../{tmp_path.name}/out.jsonl")


def test_an_empty_shard_is_named(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_bytes(b"\n\n")
    with pytest.raises(DataError, match=r"1\.jsonl: holds no rows"):
        read(write_shard(tmp_path / "0.jsonl", "a"), str(tmp_path / "1.jsonl"))


def rows_of_any_kind(count: int) -> list[bytes]:
    asked = {"task": "FI-8", "ground_truth": "awe", "candidates": ["awe", "fear"]}
    lines = []
    for number in range(count):
        text = f"<answer>{'awe' if number % 3 else 'fear'}</answer><confidence>{number % 101 / 100}</confidence>"
        row = {**asked, "id": number, "response": text}
        lines.append(jsonl_line({"original_data": row, "error": "timeout"} if number % 7 == 0 else row))
    return lines


def test_blocks_and_processes_read_what_one_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(rows_of_any_kind(60)))
    (whole,) = read(str(path))
    monkeypatch.setattr(reading, "_BLOCK_BYTES", 700)
    parts = read(str(path))
    assert len(parts) > reading._BLOCKS_ALONE + 3  # so that other processes were started
    joined, expected = concatenate([part.outcomes["strict"] for part in parts]), whole.outcomes["strict"]
    assert [pair for part in parts for pair in part.ids] == whole.ids == [(str(n), n + 1) for n in range(60)]
    assert joined.correct.tolist() == expected.correct.tolist()
    assert joined.failed.tolist() == expected.failed.tolist() == [number % 7 == 0 for number in range(60)]
    assert joined.confidence.tolist()[1] == 0.01


def test_an_error_in_another_process_names_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = rows_of_any_kind(40)
    lines[33] = b'{"task": "FI-8"}\n'
    lines[38] = b"\xff\n"
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(lines))
    monkeypatch.setattr(reading, "_BLOCK_BYTES", 700)
    with pytest.raises(DataError, match=r"rows\.jsonl:34 response: must be the model's response"):
        read(str(path))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"\xff", "rows.jsonl:2 = b'\\xff': must be UTF-8"),
        (b"{", "rows.jsonl:2 = '{': must be one JSON object"),
        ({"ground_truth": ...}, "rows.jsonl:2 ground_truth: must be a non-empty string"),
        ({"ground_truth": "joy"}, "rows.jsonl:2 ground_truth = 'joy': must be one of awe, fear"),
        ({"candidates": ...}, "rows.jsonl:2 candidates"),
        ({"task": 8}, "rows.jsonl:2 task = 8: must be a non-empty string"),
        ({"response": None}, "rows.jsonl:2 response: must be the model's response"),
        ({"original_data": {"task": "FI-8"}, "error": "x"}, "rows.jsonl:2 ground_truth: must be a non-empty string"),
    ],
)
def test_a_malformed_row_names_file_line_and_rule(tmp_path: Path, row, message: str) -> None:
    good = {"task": "FI-8", "ground_truth": "awe", "candidates": ["awe", "fear"], "response": "awe"}
    if isinstance(row, dict):
        row = json.dumps({key: value for key, value in {**good, **row}.items() if value is not ...}).encode()
    path = tmp_path / "rows.jsonl"
    path.write_bytes(json.dumps(good).encode() + b"\n" + row + b"\n")
    with pytest.raises(DataError) as caught:
        read(str(path))
    assert message in str(caught.value)


def test_nan_as_the_released_code_writes_it_is_read(tmp_path: Path) -> None:
    turn = {"role": "user", "content": [{"type": "image", "image": "a.png"}, {"type": "text", "text": "?"}]}
    asked = {"conversations": [turn], "task": "FI-8", "ground_truth": "awe", "candidates": ["awe", "fear"]}
    stated = {"response": "<answer>awe</answer><confidence>nan</confidence>", "confidence": float("nan")}
    path = tmp_path / "merged_conf.jsonl"
    path.write_text(json.dumps({**asked, **stated, "confidence_avg": float("inf")}) + "\n")
    (part,) = read(str(path))
    assert part.outcomes["strict"].num_problems() == {"not_a_number": 1}
    assert [prediction.response for prediction in read_predictions(str(path))] == [stated["response"]]
