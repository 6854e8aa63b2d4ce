"""A table of results as plain data; the other files of this folder write it as Markdown, LaTeX, HTML and text."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

MISSING = "–"
PARTIAL = "†"
"""Marks a value over a part of its tasks: it is shown, but not ranked."""


class Mark(Enum):
    """The place of a value in its column."""

    BEST = "best"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class Column:
    """`title` (a metric) below `group` (a task or a group of tasks)."""

    group: str
    title: str
    lower_is_better: bool = False

    @property
    def arrow(self) -> str:
        """Which way is better."""
        return "↓" if self.lower_is_better else "↑"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and its confidence interval, both in the unit they are printed in; None where there is none."""

    value: float | None = None
    interval: tuple[float, float] | None = None
    is_partial: bool = False

    @property
    def text(self) -> str:
        """The value with two decimals, or a dash."""
        return MISSING if self.value is None else f"{self.value:.2f}{PARTIAL if self.is_partial else ''}"

    @property
    def interval_text(self) -> str:
        """The interval with one decimal, or nothing."""
        if self.interval is None:
            return ""
        lower, upper = self.interval
        return f"{lower:.1f}–{upper:.1f}" if lower >= 0 else f"{lower:.1f} to {upper:.1f}"


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One model, a cell for each column. Neighbours of one `section` stand below its title."""

    label: str
    cells: Sequence[Cell]
    detail: str = ""
    section: str = ""


@dataclass(frozen=True, slots=True)
class ResultTable:
    """One table. `detail` is the title of the rows' details, empty when they have none."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[ResultRow]
    notes: Sequence[str] = ()
    detail: str = ""

    @property
    def column_groups(self) -> list[tuple[str, int]]:
        """Neighbouring columns by group: (group, number of columns)."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and found[-1][0] == column.group:
                found[-1] = (column.group, found[-1][1] + 1)
            else:
                found.append((column.group, 1))
        return found

    def marks(self) -> list[list[Mark | None]]:
        """Return, row by row, the best of every column as printed and, of three or more, the second best.

        Ties share their mark.
        """
        by_column = [self._column_marks(index) for index in range(len(self.columns))]
        return [[marks[row] for marks in by_column] for row in range(len(self.rows))]

    def _column_marks(self, index: int) -> list[Mark | None]:
        cells = [row.cells[index] for row in self.rows]
        printed = [None if cell.value is None or cell.is_partial else round(cell.value, 2) for cell in cells]
        known = [value for value in printed if value is not None]
        if len(known) < 2:
            return [None] * len(cells)
        ranked = sorted(set(known), reverse=not self.columns[index].lower_is_better)
        marks = dict(zip(ranked, Mark if len(known) > 2 else [Mark.BEST], strict=False))
        return [None if value is None else marks.get(value) for value in printed]


def one_line(text: str) -> str:
    """Return text without line breaks, control characters and lone surrogates."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def sections(table: ResultTable) -> list[tuple[str, list[int]]]:
    """Return neighbouring rows by section: (section, indices of the rows)."""
    found: list[tuple[str, list[int]]] = []
    for index, row in enumerate(table.rows):
        if not found or found[-1][0] != row.section:
            found.append((row.section, []))
        found[-1][1].append(index)
    return found
