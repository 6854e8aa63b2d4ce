from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.whole_table import print_whole

_COLUMNS = {
    "accuracy": "Acc",
    "f1_macro": "F1\nmacro",
    "f1_weighted": "F1\nweight.",
    "ece": "ECE",
    "brier": "Brier",
    "auc": "AUC",
    "mean_confidence": "Mean\nconf.",
    "coverage": "Cover-\nage",
}
_PLAIN_WIDTH = 120
"""Columns where the output is no terminal; nothing is then cut or wrapped."""


def print_scores(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a `ProtocolReport.to_dict()`: a table in percent, then what could not be read."""
    console = console or Console()
    if not console.is_terminal:
        console = Console(file=console.file, width=_PLAIN_WIDTH)
    table = Table(box=SIMPLE_HEAD, padding=(0, 0), pad_edge=False)
    table.add_column(report["protocol"], no_wrap=True)
    for title in (*_COLUMNS.values(), "n"):
        table.add_column(title, justify="right", no_wrap=True)
    for task, metrics in report["tasks"].items():
        _add(table, task, metrics)
    table.add_section()
    for group, metrics in report["groups"].items():
        _add(table, group, metrics)
        _add(table, "  task mean", report["group_task_means"][group], style="dim")
    table.add_section()
    _add(table, "Overall", report["overall"], style="bold")
    _add(table, "  task mean", report["overall_task_mean"], style="dim")
    print_whole(table, console)
    for line in _unread(report):
        console.print(line, highlight=False)


def _add(table: Table, name: str, metrics: Mapping[str, Any], style: str | None = None) -> None:
    percent = ["–" if metrics[key] is None else f"{100 * metrics[key]:.2f}" for key in _COLUMNS]
    table.add_row(name, *percent, str(metrics["num_samples"]), style=style)


def _unread(report: Mapping[str, Any]) -> list[str]:
    """Say which samples the calibration metrics leave out, and why."""
    reasons = {name: count for name, count in report["confidence_problems"].items() if name != "inference_error"}
    lines = []
    if reasons:
        listed = ", ".join(f"{name} {count}" for name, count in reasons.items())
        lines.append(f"No valid confidence (outside ECE, Brier, AUC): {sum(reasons.values())} ({listed})")
    if report["num_errors"]:
        lines.append(f"Failed inferences (counted as wrong): {report['num_errors']}")
    return lines or ["Every response states a valid confidence."]
