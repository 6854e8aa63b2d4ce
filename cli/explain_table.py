from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.plain_text import plain_text
from emocal_rl.cli.whole_table import print_whole

if TYPE_CHECKING:
    from emocal_rl.benchmarks.vecbench.explain import Disagreement, Explanation, Reading

_METRICS = {"accuracy": "Acc", "f1": "F1", "ece": "ECE", "brier": "Brier", "auc": "AUC"}
_NAME_COLUMNS = 28
"""Of a row's id; of a longer one the end is shown."""


def print_explanation(reports: Mapping[str, Mapping[str, Any]], explanation: "Explanation") -> None:
    """Print the protocols' reports (by protocol, as dicts) side by side, the reasons they differ, and a few rows."""
    console = Console()
    console.print("Side by side, in percent; F1 weighted by support", style="bold")
    print_whole(_side_by_side(reports), console)
    console.print(f"Rows the protocols count differently: {explanation.num_rows:,}", style="bold", highlight=False)
    if not explanation.num_rows:
        return
    for name, reason in explanation.to_dict()["reasons"].items():
        console.print(f"  {reason['count']:>9,}  {name}: {reason['meaning']}", highlight=False, soft_wrap=True)
    print_whole(_examples(explanation), console)


def _side_by_side(reports: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 0), pad_edge=False)
    table.add_column("", no_wrap=True)
    for title in _METRICS.values():
        for protocol in reports:
            table.add_column(f"{title}\n{protocol}", justify="right", no_wrap=True)
    for part in ("tasks", "groups"):
        for name in reports["strict"][part]:
            table.add_row(plain_text(name), *_cells([report[part].get(name, {}) for report in reports.values()]))
        table.add_section()
    table.add_row("Overall", *_cells([report["overall"] for report in reports.values()]), style="bold")
    return table


def _cells(rows: list[Mapping[str, Any]]) -> list[str]:
    values = (row.get(key, row.get("f1_weighted") if key == "f1" else None) for key in _METRICS for row in rows)
    return ["–" if value is None else f"{100 * value:.2f}" for value in values]


def _examples(explanation: "Explanation") -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("Row", "Task", "Truth", "Strict, paper", "Official", "Overall", "Why"):
        table.add_column(title, no_wrap=True)
    for row in explanation.examples:
        overall = row.official_overall.answer or "unknown"
        cells = [_name(row), row.task, row.label, _reading(row.strict), _reading(row.official), overall]
        table.add_row(*map(plain_text, (*cells, ", ".join(row.reasons))))
    return table


def _name(row: "Disagreement") -> str:
    return row.id if len(row.id) <= _NAME_COLUMNS else f"…{row.id[1 - _NAME_COLUMNS :]}"


def _reading(reading: "Reading") -> str:
    mark = "right" if reading.correct else "wrong"
    confidence = reading.confidence_problem or ("nan" if reading.confidence is None else f"{reading.confidence:g}")
    return f"{reading.answer or 'unknown'} ({mark}), {confidence}"
