"""Rows of responses to be rewarded: `response` and `ground_truth`, and what else of a dataset row there is."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emocal_rl.platform.contracts import FinishReason, Sample
from emocal_rl.platform.data.jsonl import parse_line, read_jsonl
from emocal_rl.platform.data.rows import Row
from emocal_rl.platform.errors import DataError


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """One response and the sample it answers."""

    sample: Sample
    text: str
    finish_reason: FinishReason


def read_responses(url: str) -> list[ResponseRow]:
    """Read JSONL rows with `response` and `ground_truth`; `-` is the standard input.

    `candidates` or `task` say in which taxonomy the answer is read; without either only the label itself is right.
    `finish_reason` is `stop` or `length` (truncated); `id` names the row. Other keys are left alone, so a file of
    predictions will do, the released code's with its NaN included.

    Raises:
        DataError: naming the first malformed row's file, line and key, or that there are no rows.
    """
    name = "<stdin>" if url == "-" else url
    rows = [_read_row(Row(name, line, value, None)) for line, value in _read_values(url, name)]
    if not rows:
        raise DataError(name, rule="holds no rows", fix="Give rows with `response` and `ground_truth`.")
    return rows


def _read_values(url: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    if url != "-":
        yield from read_jsonl(url, nan_is_null=True)
        return
    for line, data in enumerate(sys.stdin.buffer, start=1):
        if data.strip():
            yield line, parse_line(name, line, data, nan_is_null=True)


def _read_row(row: Row) -> ResponseRow:
    text, finish_reason = row.value.get("response"), row.value.get("finish_reason", "stop")
    if not isinstance(text, str):
        raise row.error("response", text, "must be the model's response as a string", "Run inference first.")
    if finish_reason not in ("stop", "length"):
        raise row.error("finish_reason", finish_reason, "must be stop or length", "Correct it, or remove the key.")
    label, candidates = row.text("ground_truth"), row.texts("candidates")
    task = row.text("task") if row.value.get("task") else ""
    row.check_label("ground_truth", label, task, candidates)
    question = row.value.get("question", "")
    sample = Sample(
        row.id, (), question if isinstance(question, str) else "", candidates if candidates or task else (label,),
        label, task, row.url, row.line,
    )  # fmt: skip
    return ResponseRow(sample, text, finish_reason)
