from pathlib import Path

import pytest

from emocal_rl.benchmarks.vecbench.shards import read_shards
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.jsonl import read_jsonl, write_jsonl
from emocal_rl.platform.data.vecbench import Prediction, write_predictions
from emocal_rl.platform.errors import DataError


def write_shard(path: Path, *sample_ids: str, named: bool = True) -> str:
    samples = [Sample(name, ("a.png",), "Q?", ("awe", "fear"), "awe", "FI-8") for name in sample_ids]
    write_predictions(str(path), [Prediction.of(sample, response="<answer>awe</answer>") for sample in samples])
    if not named:
        rows = [{key: value for key, value in row.items() if key != "id"} for _, row in read_jsonl(str(path))]
        write_jsonl(str(path), rows)
    return str(path)


def test_shards_are_one_set(tmp_path: Path) -> None:
    files = [write_shard(tmp_path / "0.jsonl", "a", "b"), write_shard(tmp_path / "1.jsonl.gz", "c")]
    assert [prediction.id for prediction in read_shards(files)] == ["a", "b", "c"]


def test_two_shards_with_one_id(tmp_path: Path) -> None:
    files = [write_shard(tmp_path / "0.jsonl", "a", "b"), write_shard(tmp_path / "1.jsonl", "c", "b")]
    with pytest.raises(DataError, match=r"1\.jsonl:2 id = 'b': must be unique over all files; .*0\.jsonl:2 has it too"):
        read_shards(files)


def test_rows_without_an_id_in_files_of_one_name_are_different_samples(tmp_path: Path) -> None:
    files = [write_shard(tmp_path / rank / "out.jsonl", "a", "b", named=False) for rank in ("0", "1")]
    assert len(read_shards(files)) == 4


def test_a_file_given_twice(tmp_path: Path) -> None:
    file = write_shard(tmp_path / "out.jsonl", "a", named=False)
    with pytest.raises(DataError, match="is given twice"):
        read_shards([file, f"{tmp_path}/../{tmp_path.name}/out.jsonl"])
