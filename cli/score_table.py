from collections.abc import Mapping
from functools import reduce
from operator import getitem
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.plain_text import plain_text
from emocal_rl.cli.whole_table import print_whole

_STRICT_COLUMNS = {
    "accuracy": "Acc",
    "f1_macro": "F1\nmacro",
    "f1_weighted": "F1\nweight.",
    "ece": "ECE",
    "brier": "Brier",
    "auc": "AUC",
    "mean_confidence": "Mean\nconf.",
    "coverage": "Cover-\nage",
}
_TABLE_COLUMNS = {"accuracy": "Acc", "f1": "F1", "ece": "ECE", "brier": "Brier", "auc": "AUC"}
_LEFT_OUT = {
    "inference_error": "Failed inferences (in no denominator)",
    "not_a_float": "Rows dropped because their confidence is no float",
}


def print_scores(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a `ProtocolReport.to_dict()`: a table in percent, then what could not be read.

    With the `intervals` of an `IntervalTable`, as a dict, each row has them below it.
    """
    console = console or Console()
    table = _table(report, _STRICT_COLUMNS)
    intervals = report.get("intervals")

    def add(title: str, *path: str, style: str | None = None) -> None:
        _add(table, _STRICT_COLUMNS, title, reduce(getitem, path, report), style=style)
        if intervals is not None:
            bounds = reduce(getitem, path, intervals)
            shown = [_interval(bounds[key]) for key in _STRICT_COLUMNS]
            table.add_row(f"  {100 * intervals['level']:g} %", *shown, style="dim")

    for task in report["tasks"]:
        add(task, "tasks", task)
    table.add_section()
    for group in report["groups"]:
        add(group, "groups", group)
        add("  task mean", "group_task_means", group, style="dim")
    table.add_section()
    add("Overall", "overall", style="bold")
    add("  task mean", "overall_task_mean", style="dim")
    print_whole(table, console)
    if intervals is not None and _has_basic(intervals):
        console.print(
            "* basic interval, bias taken off: too biased for BCa. It may lie below its value.", highlight=False
        )
    for line in _unread(report):
        console.print(line, highlight=False)


def print_table_report(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a `TableReport.to_dict()`: a table in percent, then what is in no denominator."""
    console = console or Console()
    table = _table(report, _TABLE_COLUMNS)
    for part in ("tasks", "groups"):
        for name, metrics in report[part].items():
            _add(table, _TABLE_COLUMNS, name, metrics)
        table.add_section()
    _add(table, _TABLE_COLUMNS, "Overall", report["overall"], style="bold")
    print_whole(table, console)
    for reason, count in report["left_out"].items():
        console.print(f"{_LEFT_OUT[reason]}: {count}", highlight=False)


def _table(report: Mapping[str, Any], columns: Mapping[str, str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 0), pad_edge=False)
    table.add_column(report["protocol"], no_wrap=True)
    for title in (*columns.values(), "n"):
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _add(
    table: Table, columns: Mapping[str, str], name: str, metrics: Mapping[str, Any], style: str | None = None
) -> None:
    percent = ["–" if metrics[key] is None else f"{100 * metrics[key]:.2f}" for key in columns]
    table.add_row(plain_text(name), *percent, str(metrics["num_samples"]), style=style)


def _interval(bounds: Mapping[str, Any] | None) -> str:
    if bounds is None:
        return "–"
    return f"{100 * bounds['lower']:.2f}–{100 * bounds['upper']:.2f}{'*' * (bounds['method'] == 'basic')}"


def _has_basic(intervals: Any) -> bool:
    """Whether any interval of an `IntervalTable`, as a dict, is basic."""
    if not isinstance(intervals, Mapping):
        return False
    return intervals.get("method") == "basic" or any(map(_has_basic, intervals.values()))


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
