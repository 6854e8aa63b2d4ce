import gzip
import http.server
import json
import socket
import threading
import zipfile

import fsspec
import pytest

from emocal_rl.platform.data.jsonl import read_jsonl, write_jsonl
from emocal_rl.platform.data.rows import read_rows
from emocal_rl.platform.errors import DataError

ROWS = [{"text": "é ☃ \ud800"}, {"n": 1.5, "none": None}]


@pytest.mark.parametrize("name", ["{}/deep/er/rows.jsonl", "{}/rows.jsonl.gz", "memory://{}/rows.jsonl"])
def test_rows_survive_writing_and_reading(tmp_path, name):
    url = name.format(tmp_path)
    write_jsonl(url, iter(ROWS))
    assert list(read_jsonl(url)) == [(1, ROWS[0]), (2, ROWS[1])]


def test_rows_are_read_out_of_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("in/rows.jsonl", '{"a": 1}\n')
    assert list(read_jsonl(f"zip://in/rows.jsonl::{tmp_path}/x.zip")) == [(1, {"a": 1})]
    with pytest.raises(DataError, match="there is no such file"):
        list(read_jsonl(f"zip://in/other.jsonl::{tmp_path}/x.zip"))


def test_byte_order_mark_blank_lines_and_carriage_returns_are_skipped(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n   \n{"a": 2}')
    assert list(read_jsonl(str(path))) == [(1, {"a": 1}), (4, {"a": 2})]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b'{"a": NaN}', "NaN is not JSON; write null"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1', "must be one JSON object"),
        (b'{"a": 1} {"a": 2}', "must be one JSON object: Extra data"),
        (b"[1]", "must be a JSON object, not a list"),
        (b"3", "must be a JSON object, not a int"),
        (b'{"a": "\xff"}', "must be UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "must be UTF-8"),
        (b"[" * 100_000, "must be one JSON object"),
    ],
)
def test_a_line_that_is_no_object_names_file_and_line(tmp_path, line, rule):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"fine": 1}\n' + line + b"\n")
    with pytest.raises(DataError, match=rule) as caught:
        list(read_jsonl(str(path)))
    assert caught.value.key == f"{path}:2"
    assert caught.value.fix


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        list(read_jsonl(str(tmp_path / "none.jsonl")))
    with pytest.raises(DataError, match="cannot be read: Protocol not known"):
        list(read_jsonl("nonsense://x.jsonl"))
    with pytest.raises(DataError, match="cannot be read"):
        list(read_jsonl(str(tmp_path)))
    with pytest.raises(DataError, match="cannot be written"):
        write_jsonl(str(tmp_path), ROWS)


class Refusing(http.server.BaseHTTPRequestHandler):
    """Answers every request with the status that its path begins with."""

    def do_GET(self):
        self.send_response(int(self.path.split("/")[1]))
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_a_host_that_refuses_is_told_from_a_missing_file(name):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        for status, rule in {404: "there is no such file", 403: "HTTP status 403", 500: "HTTP status 500"}.items():
            with pytest.raises(DataError, match=rule):
                list(read_rows(f"{base}/{status}/{name}", None))
        server.shutdown()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DataError, match=f"cannot be reached: .*127.0.0.1:{port}"):
        list(read_rows(f"http://127.0.0.1:{port}/{name}", None))


def test_a_cut_off_archive_is_one_error(tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps({"a": "x" * 1000}).encode())[:-12])
    with pytest.raises(DataError, match="cannot be read"):
        list(read_jsonl(str(path)))


def test_numbers_that_are_not_json_are_not_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_jsonl("memory://nan.jsonl", [{"a": float("nan")}])
    assert not fsspec.filesystem("memory").exists("/nan.jsonl")
