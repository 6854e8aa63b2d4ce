"""`samples/step-000001.parquet`: every response of a step with its reward terms, advantage and confidence."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emocal_rl.platform.runs.atomic import replacing
from emocal_rl.platform.runs.directory import RunDirectory

COLUMNS = {
    "step": pa.int64(),
    "sample_id": pa.string(),
    "task": pa.string(),
    "image": pa.string(),
    "question": pa.string(),
    "label": pa.string(),
    "response_index": pa.int32(),
    "text": pa.string(),
    "answer": pa.string(),
    "confidence": pa.float64(),
    "correct": pa.bool_(),
    "well_formed": pa.bool_(),
    "finish_reason": pa.string(),
    "num_tokens": pa.int32(),
    "weight_version": pa.int64(),
    "reward_total": pa.float64(),
    "advantage": pa.float64(),
    "confidence_advantage": pa.float64(),
    "masked": pa.string(),
}
"""Columns of every file; each reward term adds a float64 `reward_<term>` behind them. `confidence_advantage` is that of
the tokens of the stated confidence: another than the response's where the confidence term teaches them alone."""


def write_samples(run: RunDirectory, step: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one step's responses, one row each. Rows have every column of `COLUMNS` and any `reward_<term>`."""
    extra = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    assert all(name.startswith("reward_") for name in extra), f"unknown sample columns {list(extra)}"
    assert all(COLUMNS.keys() <= row.keys() for row in rows), "sample rows lack columns"
    schema = pa.schema([*COLUMNS.items(), *((name, pa.float64()) for name in extra)])
    run.samples.mkdir(exist_ok=True)
    with replacing(run.samples / f"step-{step:06d}.parquet") as temporary:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), temporary, compression="zstd")


def read_samples(run: RunDirectory, step: int) -> list[dict[str, Any]]:
    """Read one step's responses back, in the order they were written."""
    rows: list[dict[str, Any]] = pq.read_table(run.samples / f"step-{step:06d}.parquet").to_pylist()
    return rows
