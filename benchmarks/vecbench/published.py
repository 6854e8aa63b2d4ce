"""The paper's own numbers, in percent: to be shown beside a run's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

TABLE_NUMBERS = (2, 3, 4, 5, 6)
AVERAGE = "Average"
"""The scope that is the mean over a table's tasks."""

Values = Mapping[str, Mapping[str, float | None]]
"""Scope (a task, a group, or `Average`) to metric to percent; None where the paper prints a dash."""


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One model. `elicitation` (Verb, Ans, Avg) is Table 5's, `stage` (base, scaffold, cold_start, calibrated) 6's."""

    model: str
    values: Values
    section: str | None = None
    citation: str | None = None
    elicitation: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One table of the paper. `group` is the group of its tasks where it has one; `notes` say what to know of it."""

    number: int
    title: str
    source: str
    group: str | None
    scopes: Sequence[str]
    metrics: Sequence[str]
    rows: Sequence[PublishedRow]
    notes: Sequence[str]


def published_table(number: int) -> PublishedTable:
    """Return one of the Tables 2-6, with all its baselines."""
    return _tables()[number]


@lru_cache(maxsize=1)
def _tables() -> dict[int, PublishedTable]:
    text = (resources.files("emocal_rl.benchmarks.vecbench") / "published.yaml").read_text(encoding="utf-8")
    shipped = yaml.safe_load(text)
    return {table["number"]: _table(shipped["source"], table) for table in shipped["tables"]}


def _table(source: str, table: dict[str, Any]) -> PublishedTable:
    scopes, metrics = table["scopes"], table["metrics"]
    return PublishedTable(
        number=table["number"],
        title=table["title"],
        source=f"{source}, Table {table['number']}",
        group=table.get("group"),
        scopes=scopes,
        metrics=metrics,
        rows=[PublishedRow(**{**row, "values": _values(row["values"], scopes, metrics)}) for row in table["rows"]],
        notes=table["notes"],
    )


def _values(flat: Sequence[float | None], scopes: Sequence[str], metrics: Sequence[str]) -> Values:
    cells = iter(flat)
    values = {scope: {metric: next(cells) for metric in metrics} for scope in scopes}
    assert next(cells, "end") == "end"
    return values
