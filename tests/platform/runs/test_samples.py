from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.samples import COLUMNS, read_samples, write_samples


def row(index: int, **changed: Any) -> dict[str, Any]:
    return {
        "step": 3, "sample_id": "s1", "task": "FI-8", "image": "a.png", "question": "?", "label": "awe",
        "response_index": index, "text": "…</think>", "answer": "awe", "confidence": 0.8, "correct": True,
        "well_formed": True, "finish_reason": "stop", "num_tokens": 48, "weight_version": 2, "reward_total": 1.7,
        "advantage": 0.2, "confidence_advantage": 0.3, "masked": None, "reward_format": 1.0, **changed,
    }  # fmt: skip


def test_rows_come_back_with_the_explicit_schema(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    rows = [row(0), row(1, confidence=None, answer=None, masked="timeout", advantage=0)]
    write_samples(run, 3, rows)
    assert read_samples(run, 3) == rows
    schema = pq.read_schema(run.samples / "step-000003.parquet")
    assert schema.names == [*COLUMNS, "reward_format"]
    assert str(schema.field("advantage").type) == "double"
    assert [path.name for path in run.samples.iterdir()] == ["step-000003.parquet"]


def test_a_term_that_one_row_lacks_is_null(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    write_samples(run, 1, [row(0), row(1, reward_confidence=-0.2)])
    assert [found["reward_confidence"] for found in read_samples(run, 1)] == [None, -0.2]


@pytest.mark.parametrize("rows", [[row(0, colour="red")], [{"step": 1}]])
def test_other_columns_are_our_own_mistake(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    with pytest.raises(AssertionError):
        write_samples(RunDirectory(tmp_path), 1, rows)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    write_samples(run, 1, [row(0)])
    with pytest.raises(ValueError, match="tried to convert to double"):
        write_samples(run, 1, [row(0, confidence={"not": "a number"})])
    assert read_samples(run, 1) == [row(0)]
    assert len(list(run.samples.iterdir())) == 1
