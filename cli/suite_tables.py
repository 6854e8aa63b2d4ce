from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.plain_text import plain_text
from emocal_rl.cli.whole_table import print_whole

_TITLES = {
    "accuracy": "Acc",
    "f1": "F1",
    "ece": "ECE",
    "brier": "Brier",
    "auc": "AUC",
    "mean_confidence": "Mean conf.",
    "ndcg": "nDCG",
    "srcc": "SRCC",
    "plcc": "PLCC",
    "num_samples": "n",
}
"""Other metrics are called by their keys."""


def print_suite_report(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a `SuiteReport.to_dict()`: its tables, floats times 100, then how they are defined and what failed."""
    console = console or Console()
    for title, rows in report["tables"].items():
        keys = list(dict.fromkeys(key for row in rows.values() for key in row))
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column(plain_text(title), no_wrap=True)
        for key in keys:
            name = _TITLES.get(key, key.removeprefix("num_").replace("_", " ").capitalize())
            table.add_column(plain_text(name), justify="right", no_wrap=True)
        for name, row in rows.items():
            table.add_row(plain_text(name), *(_cell(row.get(key)) for key in keys))
        print_whole(table, console)
    for note in report["notes"]:
        console.print(note, style="dim", markup=False, highlight=False)
    if report["num_errors"]:
        console.print(
            f"Questions without an answer: {report['num_errors']} of {report['num_samples']}", highlight=False
        )


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{100 * value:.2f}"
