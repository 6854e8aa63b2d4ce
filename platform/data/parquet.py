"""Parquet through fsspec, a batch of rows at a time."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from emocal_rl.platform.data.jsonl import unreadable
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.output import writing

_BATCH_ROWS = 1024
_GROUP_BYTES = 64_000_000
_READ_BYTES = 1_000_000


def is_parquet(url: str) -> bool:
    """Whether a file is Parquet, by its suffix."""
    return Location.parse(url).path.lower().endswith((".parquet", ".pq"))


def read_parquet(url: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (1-based row, its columns that are not null).

    Raises:
        DataError: the file cannot be read.
    """
    with _opened(url) as file:
        rows = (row for batch in file.iter_batches(_BATCH_ROWS) for row in batch.to_pylist())
        for line, row in enumerate(rows, start=1):
            yield line, {name: value for name, value in row.items() if value is not None}


def count_parquet_rows(url: str) -> int:
    """Return the number of rows that the file's footer states; errors as in `read_parquet`."""
    with _opened(url) as file:
        return int(file.metadata.num_rows)


def read_schema(url: str) -> pa.Schema:
    """Return the columns and their types; errors as in `read_parquet`."""
    with _opened(url) as file:
        return file.schema_arrow


@contextmanager
def _opened(url: str) -> Iterator[pq.ParquetFile]:
    try:
        with fsspec.open(url, "rb") as file:
            # A few pages at a time: the one row group of somebody else's file may hold every image there is.
            yield pq.ParquetFile(file, buffer_size=_READ_BYTES, pre_buffer=False)
    except Exception as error:  # every fsspec backend has errors of its own, and Arrow those of corrupt files
        raise unreadable(url, error) from error


@contextmanager
def parquet_writer(
    url: str, schema: pa.Schema, size_of: Callable[[Mapping[str, Any]], int] = lambda _: 0
) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yield a function that appends one row. The file appears when the block ends without error.

    A row group ends at 1,024 rows or 64 MB of what `size_of` counts, so that embedded images do not pile up in memory.

    Raises:
        DataError: the file cannot be written.
    """
    rows: list[Mapping[str, Any]] = []
    num_bytes = 0

    with writing(url) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:

        def flush() -> None:
            nonlocal num_bytes
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            rows.clear()
            num_bytes = 0

        def write(row: Mapping[str, Any]) -> None:
            nonlocal num_bytes
            rows.append(row)
            num_bytes += size_of(row)
            if len(rows) == _BATCH_ROWS or num_bytes >= _GROUP_BYTES:
                flush()

        yield write
        if rows:
            flush()
