import io

import pyarrow as pa
import pytest

from emocal_rl.platform.data.jsonl import read_jsonl, write_jsonl
from emocal_rl.platform.errors import DataError


@pytest.mark.parametrize("place", ["{}/rows.jsonl.zst", "memory:/{}/rows.jsonl.zst"])
def test_zstandard_is_written_and_read(tmp_path, place):
    url = place.format(tmp_path)
    rows = [{"number": number, "text": "x" * 1000} for number in range(300)]
    write_jsonl(url, rows)
    assert [row for _, row in read_jsonl(url)] == rows


def test_what_others_compress_is_read_frame_after_frame(tmp_path):
    path = tmp_path / "rows.jsonl.zst"
    path.write_bytes(b"".join(pa.compress(line, codec="zstd", asbytes=True) for line in (b'{"a": 1}\n', b'{"a": 2}\n')))
    assert path.read_bytes()[:4] == bytes.fromhex("28b52ffd")
    assert [row for _, row in read_jsonl(str(path))] == [{"a": 1}, {"a": 2}]


def test_a_cut_off_file_is_one_error(tmp_path):
    packed = io.BytesIO()
    with pa.CompressedOutputStream(pa.PythonFile(packed, mode="w"), "zstd") as stream:
        stream.write(bytes(range(256)) * 100)
        path = tmp_path / "rows.jsonl.zst"
        stream.flush()
        path.write_bytes(packed.getvalue()[:-10])
    with pytest.raises(DataError, match="cannot be read"):
        list(read_jsonl(str(path)))
