"""JSON Lines through fsspec: local paths, `memory://`, `zip://`, `s3://`, `gs://`, and `.gz` of each."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import fsspec

from emocal_rl.platform.errors import DataError

_MEND = "Correct the line, or remove it."


def read_jsonl(url: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (1-based line, object) for every line that is not blank. A byte order mark is skipped.

    Raises:
        DataError: the file cannot be read, or a line is not one JSON object in UTF-8 (NaN and Infinity are not JSON).
    """
    for line, data in read_lines(url):
        if not data.strip():
            continue
        key = f"{url}:{line}"
        try:
            value = json.loads(data.decode("utf-8-sig" if line == 1 else "utf-8"), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            rule = f"must be UTF-8 (byte {error.start} of the line is not)"
            raise DataError(key, data[:60], rule=rule, fix="Save the file as UTF-8.") from error
        except (ValueError, RecursionError) as error:
            raise DataError(key, _shown(data), rule=f"must be one JSON object: {error}", fix=_MEND) from error
        if not isinstance(value, dict):
            raise DataError(key, value, rule=f"must be a JSON object, not a {type(value).__name__}", fix=_MEND)
        yield line, value


def write_jsonl(url: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line, in ASCII. Missing local folders are created.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        with fsspec.open(url, "wb", compression="infer") as file:
            for row in rows:
                file.write(json.dumps(row, allow_nan=False).encode() + b"\n")
    except (OSError, ImportError) as error:
        raise DataError(url, rule=f"cannot be written: {error}", fix="Check the path and its permissions.") from error


def read_lines(url: str) -> Iterator[tuple[int, bytes]]:
    """Yield (1-based line, its bytes) of a file, decompressed by its suffix.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with fsspec.open(url, "rb", compression="infer") as file:
            yield from enumerate(file, start=1)
    except (FileNotFoundError, KeyError) as error:  # KeyError: no such member in an archive
        raise DataError(url, rule="there is no such file", fix="Check the path.") from error
    except Exception as error:  # every fsspec backend and decompressor has errors of its own
        raise DataError(url, rule=f"cannot be read: {error}", fix="Check the path and its permissions.") from error


def _refuse_constant(name: str) -> float:
    message = f"{name} is not JSON; write null"
    raise ValueError(message)


def _shown(data: bytes) -> str:
    return data[:200].decode("utf-8", errors="replace").strip()
