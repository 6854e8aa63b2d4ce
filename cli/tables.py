"""Tables on the terminal. Plain text when it is not one."""

import time
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.whole_table import print_whole
from emocal_rl.platform.report.comparison import COLUMNS, Comparison
from emocal_rl.platform.report.html import format_duration, format_number
from emocal_rl.platform.runs.listing import RunSummary

_STYLES = {"Cold start": "dark_orange3", "Calibrated": "bold cyan", "Oracle": "dim italic"}


def print_comparisons(comparisons: Sequence[Comparison], console: Console | None = None) -> None:
    """Print cold start, calibrated and oracle, one table per decoding and set of tasks."""
    console = console or Console()
    for comparison in comparisons:
        table = Table(title=comparison.title, title_justify="left", title_style="bold")
        table.add_column("")
        for title in COLUMNS.values():
            table.add_column(title, justify="right")
        for row in comparison.rows:
            values = [format_number(row.metrics.get(name)) for name in COLUMNS]
            table.add_row(row.label, *values, style=_STYLES.get(row.label))
        print_whole(table, console)


def print_runs(runs: Sequence[RunSummary], console: Console | None = None) -> None:
    """Print one line per run."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("Run", "Status"):
        table.add_column(title, no_wrap=True)
    for title in ("Steps", "Accuracy", "ECE", "Brier", "Duration"):
        table.add_column(title, justify="right")
    for run in runs:
        metrics = [format_number(value) for value in (run.accuracy, run.ece, run.brier)]
        table.add_row(run.name, run.status, str(run.num_steps), *metrics, format_duration(run.duration_s))
    print_whole(table, console or Console())


def print_run(run: RunSummary, manifest: dict[str, Any], console: Console | None = None) -> None:
    """Print the facts of one run."""
    started = "–" if run.started_at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.started_at))
    facts = {
        "path": run.path,
        "status": run.status + (f": {manifest['error']}" if manifest.get("error") else ""),
        "command": " ".join(manifest.get("command", [])),
        "started": f"{started}, {format_duration(run.duration_s)}",
        "steps": str(run.num_steps),
        "checkpoints": ", ".join(run.checkpoints) or "none",
    }
    console = console or Console()
    for name, value in facts.items():
        console.print(f"{name:<12}{value}", markup=False, highlight=False, soft_wrap=True)
