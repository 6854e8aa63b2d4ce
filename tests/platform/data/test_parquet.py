import os

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFile

from emocal_rl.platform.data.parquet import count_parquet_rows, is_parquet, parquet_writer, read_parquet
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.errors import DataError

SCHEMA = pa.schema([("a", pa.int64()), ("b", pa.string())])


def test_rows_are_numbered_and_nulls_left_out(tmp_path):
    path = str(tmp_path / "new" / "rows.parquet")
    with parquet_writer(path, SCHEMA) as write:
        for number in range(1500):
            write({"a": number} if number % 2 else {"a": number, "b": "x"})
    rows = list(read_parquet(path))
    assert (rows[0], rows[1], rows[-1]) == ((1, {"a": 0, "b": "x"}), (2, {"a": 1}), (1500, {"a": 1499}))
    assert count_parquet_rows(path) == 1500
    assert pq.ParquetFile(path).metadata.num_row_groups == 2


def test_large_rows_end_a_row_group(tmp_path):
    path = str(tmp_path / "rows.parquet")
    with parquet_writer(path, SCHEMA, size_of=lambda _: 40_000_000) as write:
        for number in range(5):
            write({"a": number})
    assert [pq.ParquetFile(path).metadata.row_group(i).num_rows for i in range(3)] == [2, 2, 1]


def test_an_error_leaves_no_file_and_the_old_one(tmp_path):
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), parquet_writer(str(path), SCHEMA) as write:
        write({"a": 1 // 0})
    assert [each.name for each in tmp_path.iterdir()] == ["rows.parquet"]
    assert path.read_bytes() == b"old"


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="cannot be read"):
        list(read_parquet(str(tmp_path / "x.parquet")))
    with pytest.raises(DataError, match="there is no such file"):
        list(read_samples(str(tmp_path / "none.parquet")))


def test_rows_of_the_json_formats_may_lie_in_parquet(tmp_path):
    path = str(tmp_path / "hub.parquet")
    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    schema = pa.schema([("messages", pa.list_(message)), ("images", pa.list_(pa.string())), ("task", pa.string())])
    turns = [
        {"role": "user", "content": "<image>Which of ['awe', 'fear']?"},
        {"role": "assistant", "content": "<answer>awe</answer>"},
    ]
    with parquet_writer(path, schema) as write:
        write({"messages": turns, "images": ["a.png"]})
    (read,) = read_samples(path)
    assert (read.id, read.images, read.label, read.task) == ("hub:1", (f"{tmp_path}/a.png",), "awe", "")


@pytest.mark.parametrize(("url", "expected"), [("a.parquet", True), ("s3://b/A.PQ", True), ("a.jsonl", False)])
def test_parquet_is_told_by_its_suffix(url, expected):
    assert is_parquet(url) is expected


def test_a_row_group_of_any_size_is_read_a_few_pages_at_a_time(monkeypatch):
    path, sizes = "memory://pages/rows.parquet", []
    with fsspec.open(path, "wb") as file:
        pq.write_table(pa.table({"b": [os.urandom(2500)] * 8192}), file, row_group_size=8192, use_dictionary=False)
    read = MemoryFile.read

    def noting(self, size=-1):
        sizes.append(size)
        return read(self, size)

    monkeypatch.setattr(MemoryFile, "read", noting)
    assert sum(len(row["b"]) for _, row in read_parquet(path)) == 8192 * 2500
    assert max(sizes) < 4_000_000  # 1,024 rows, the least that a page has
