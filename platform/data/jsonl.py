"""JSON Lines through fsspec: local paths, `memory://`, `zip://`, `s3://`, `gs://`, and `.gz`, `.zst` of each."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import fsspec

from emocal_rl.platform.data.output import writing
from emocal_rl.platform.errors import DataError, RowError

_MEND = "Correct the line, or remove it."


def read_jsonl(url: str, *, nan_is_null: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (1-based line, object) for every line that is not blank. A byte order mark is skipped.

    Args:
        url: path or fsspec URL.
        nan_is_null: take NaN and Infinity, which the released code writes into its predictions, for null.

    Raises:
        DataError: the file cannot be read, or a line is not one JSON object in UTF-8 (NaN and Infinity are not JSON).
    """
    for line, data in read_lines(url):
        if data.strip():
            yield line, parse_line(url, line, data, nan_is_null=nan_is_null)


def parse_line(url: str, line: int, data: bytes, *, nan_is_null: bool = False) -> dict[str, Any]:
    """Return the object that one line holds; see `read_jsonl`.

    Raises:
        RowError: it is not UTF-8 (check `encoding`), or not one JSON object (check `json`).
    """
    key = f"{url}:{line}"
    try:
        text = data.decode("utf-8-sig" if line == 1 else "utf-8")
        value = json.loads(text, parse_constant=_null if nan_is_null else _refuse_constant)
    except UnicodeDecodeError as error:
        rule = f"must be UTF-8 (byte {error.start} of the line is not)"
        raise RowError(key, data[:60], rule=rule, fix="Save the file as UTF-8.", line=line, check="encoding") from error
    except (ValueError, RecursionError) as error:
        rule = f"must be one JSON object: {error}"
        raise RowError(key, _shown(data), rule=rule, fix=_MEND, line=line, check="json") from error
    if not isinstance(value, dict):
        rule = f"must be a JSON object, not a {type(value).__name__}"
        raise RowError(key, value, rule=rule, fix=_MEND, line=line, check="json")
    return value


def write_jsonl(url: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line, in ASCII. Missing local folders are created.

    Raises:
        DataError: the file cannot be written; what was there before stays.
    """
    with writing(url) as file:
        for row in rows:
            file.write(jsonl_line(row))


def jsonl_line(row: Mapping[str, Any]) -> bytes:
    """Return a row as its line. NaN and Infinity are refused: they are not JSON."""
    return json.dumps(row, allow_nan=False).encode() + b"\n"


def read_lines(url: str) -> Iterator[tuple[int, bytes]]:
    """Yield (1-based line, its bytes) of a file, decompressed by its suffix.

    Raises:
        DataError: the file cannot be read.
    """
    with _opened(url) as file:
        yield from enumerate(file, start=1)


def read_blocks(url: str, num_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield (1-based number of its first line, whole lines of about `num_bytes`), as `read_lines` would read them.

    Raises:
        DataError: the file cannot be read.
    """
    line = 1
    with _opened(url) as file:
        while block := file.read(num_bytes):
            block += file.readline()
            yield line, block
            line += block.count(b"\n")


@contextmanager
def _opened(url: str) -> Iterator[IO[bytes]]:
    try:
        with fsspec.open(url, "rb", compression="infer") as file:
            yield file
    except Exception as error:  # every fsspec backend and decompressor has errors of its own
        raise unreadable(url, error) from error


def unreadable(url: str, error: Exception) -> DataError:
    """Return what to raise about a file that could not be opened or read.

    fsspec takes every failed HTTP request for a missing file; the cause tells which status it was, if there was any.
    """
    cause = error.__cause__
    if isinstance(error, FileNotFoundError) and isinstance(cause, OSError):
        return DataError(url, rule=f"cannot be reached: {cause}", fix="Check the host, the port and the network.")
    if isinstance(error, FileNotFoundError) and (status := getattr(cause, "status", 404)) not in (404, 410):
        return DataError(url, rule=f"is refused by its host: HTTP status {status}", fix="Check the URL and its access.")
    if isinstance(error, FileNotFoundError | KeyError):  # KeyError: no such member in an archive
        return DataError(url, rule="there is no such file", fix="Check the path.")
    return DataError(url, rule=f"cannot be read: {error}", fix="Check the path and its permissions.")


def _refuse_constant(name: str) -> float:
    message = f"{name} is not JSON; write null"
    raise ValueError(message)


def _null(_: str) -> None:
    return None


def _shown(data: bytes) -> str:
    return data[:200].decode("utf-8", errors="replace").strip()
