import re
from collections.abc import Sequence

from emocal_rl.platform.report.results.table import Cell, Mark, ResultTable, one_line, sections

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def write_markdown(tables: Sequence[ResultTable]) -> str:
    """Write GitHub-flavoured tables: best bold, second best underlined, intervals behind the value."""
    return "\n".join(_table(table) for table in tables)


def _table(table: ResultTable) -> str:
    detail = [escape_markdown(table.detail)] if table.detail else []
    head = ["Model", *detail, *(f"{escape_markdown(c.group)} {c.title} {c.arrow}" for c in table.columns)]
    lines = [f"### {escape_markdown(table.title)}", "", _row(head)]
    lines.append(_row(["---"] * (1 + len(detail)) + ["---:"] * len(table.columns)))
    marks = table.marks()
    for section, rows in sections(table):
        if section:
            lines.append(_row([f"*{escape_markdown(section)}*", *[""] * (len(head) - 1)]))
        for index in rows:
            row = table.rows[index]
            cells = [_cell(cell, mark) for cell, mark in zip(row.cells, marks[index], strict=True)]
            details = [escape_markdown(row.detail)] if detail else []
            lines.append(_row([escape_markdown(row.label), *details, *cells]))
    return "\n".join([*lines, "", *(f"- {escape_markdown(note)}" for note in table.notes), ""])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell, mark: Mark | None) -> str:
    value = {Mark.BEST: f"**{cell.text}**", Mark.SECOND: f"<ins>{cell.text}</ins>", None: cell.text}[mark]
    return f"{value} [{cell.interval_text}]" if cell.interval else value


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    plain = "".join(_HTML.get(character, character) for character in one_line(text))
    return _SPECIAL.sub(r"\\\1", plain)
