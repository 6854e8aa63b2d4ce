import io
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emocal_rl.platform.report.results.table import Mark, ResultTable, one_line, sections

_SIGNS = {Mark.BEST: "*", Mark.SECOND: "+", None: " "}
_WIDTH = 1000
"""Wide enough that nothing is cut or wrapped."""


def write_text(tables: Sequence[ResultTable]) -> str:
    """Write aligned plain text: `*` behind the best, `+` behind the second best, intervals on a line of their own."""
    console = Console(file=io.StringIO(), width=_WIDTH, color_system=None)
    for table in tables:
        console.print(Text(table.title))
        console.print(_grid(table))
        console.print(Text("* best, + second best"))
        for note in table.notes:
            console.print(Text(note))
        console.print()
    written = console.file
    assert isinstance(written, io.StringIO)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"


def _grid(table: ResultTable) -> Table:
    grid = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    grid.add_column("Model", no_wrap=True)
    if table.detail:
        grid.add_column(Text(table.detail), no_wrap=True)
    before = None
    for column in table.columns:
        group = "" if column.group == before else column.group
        grid.add_column(Text(f"{group}\n{column.title} {column.arrow} "), justify="right", no_wrap=True)
        before = column.group
    marks = table.marks()
    for section, rows in sections(table):
        if section:
            grid.add_row(Text(section))
        for index in rows:
            row = table.rows[index]
            names = [
                f"{'  ' if section else ''}{one_line(row.label)}",
                *([one_line(row.detail)] if table.detail else []),
            ]
            values = [f"{cell.text}{_SIGNS[mark]}" for cell, mark in zip(row.cells, marks[index], strict=True)]
            grid.add_row(*map(Text, [*names, *values]))
            if any(cell.interval for cell in row.cells):
                intervals = [f"{cell.interval_text} " for cell in row.cells]
                grid.add_row(*map(Text, [*[""] * len(names), *intervals]))
        grid.add_section()
    return grid
