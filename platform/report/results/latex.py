from collections.abc import Sequence

from emocal_rl.platform.report.results.table import Cell, Mark, ResultTable, one_line, sections

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "–": "--",
    "†": r"$^\dagger$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
_ARROWS = {"↑": r"$\uparrow$", "↓": r"$\downarrow$"}
_COMMANDS = {Mark.BEST: r"\textbf{", Mark.SECOND: r"\underline{"}


def write_latex(tables: Sequence[ResultTable]) -> str:
    """Write floating tables in the style of the paper; the document needs the package booktabs."""
    return "% \\usepackage{booktabs}\n" + "\n".join(_table(table) for table in tables)


def _table(table: ResultTable) -> str:
    lead = 2 if table.detail else 1
    width = lead + len(table.columns)
    lines = [
        r"\begin{table}[t]",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        f"\\caption{{{escape_latex(table.title)}.}}",
        f"\\begin{{tabular}}{{{'l' * lead}{'r' * len(table.columns)}}}",
        r"\toprule",
        *_head(table, lead),
        r"\midrule",
    ]
    marks = table.marks()
    for number, (section, rows) in enumerate(sections(table)):
        if number:
            lines.append(r"\midrule")
        if section:
            lines.append(f"\\multicolumn{{{width}}}{{l}}{{\\textit{{{escape_latex(section)}}}}} \\\\")
        for index in rows:
            row = table.rows[index]
            names = [escape_latex(row.label), *([escape_latex(row.detail)] if table.detail else [])]
            values = [_value(cell, mark) for cell, mark in zip(row.cells, marks[index], strict=True)]
            lines.append(_line([*names, *values]))
            if any(cell.interval for cell in row.cells):
                lines.append(_line([*[""] * lead, *map(_interval, row.cells)]))
    lines += [r"\bottomrule", r"\end{tabular}"]
    if table.notes:
        lines += [r"\par\smallskip\footnotesize\raggedright", *(escape_latex(note) for note in table.notes)]
    return "\n".join([*lines, r"\end{table}", ""])


def _head(table: ResultTable, lead: int) -> list[str]:
    """Return the line of groups, the rules below them, and the line of metrics."""
    groups, rules, start = [], [], lead + 1
    for group, size in table.column_groups:
        groups.append(f"\\multicolumn{{{size}}}{{c}}{{{escape_latex(group)}}}")
        rules.append(f"\\cmidrule(lr){{{start}-{start + size - 1}}}")
        start += size
    titles = [f"{escape_latex(column.title)} {_ARROWS[column.arrow]}" for column in table.columns]
    names = ["Model", *([escape_latex(table.detail)] if table.detail else [])]
    return [_line([*[""] * lead, *groups]), "".join(rules), _line([*names, *titles])]


def _line(cells: Sequence[str]) -> str:
    line = f"{' & '.join(cells)} \\\\"
    return f"{{}}{line}" if line.startswith(("[", "*")) else line  # else an argument of the line break before


def _value(cell: Cell, mark: Mark | None) -> str:
    text = escape_latex(cell.text)
    return f"{_COMMANDS[mark]}{text}}}" if mark else text


def _interval(cell: Cell) -> str:
    return f"{{\\scriptsize {escape_latex(cell.interval_text)}}}" if cell.interval else ""


def escape_latex(text: str) -> str:
    """Return text that LaTeX sets as it is, on one line."""
    return "".join(_ESCAPES.get(character, character) for character in one_line(text))
