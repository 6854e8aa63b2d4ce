"""What a labelling job found, on the terminal."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.whole_table import print_whole

_BAR_WIDTH = 30


def print_labels(summary: dict[str, Any], console: Console) -> None:
    """Print the split by task, the histogram of c*, and what was dropped."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Task", no_wrap=True)
    for title in ("Labelled", "Right", "Wrong", "Accuracy", "c* right", "c* wrong"):
        table.add_column(title, justify="right")
    for task, row in summary["tasks"].items():
        table.add_row(task or "–", *_cells(row))
    table.add_section()
    table.add_row("all", *_cells(summary), style="bold")
    print_whole(table, console)

    histogram = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("c*", "Right", "Wrong"):
        histogram.add_column(title, justify="right")
    histogram.add_column("")
    right, wrong = summary["histogram"]["right"], summary["histogram"]["wrong"]
    most = max(map(sum, zip(right, wrong, strict=True)))
    for index, counts in enumerate(zip(right, wrong, strict=True)):
        lengths = [round(_BAR_WIDTH * count / most) for count in counts]
        bar = f"[cyan]{'█' * lengths[0]}[/][dark_orange3]{'▒' * lengths[1]}[/]"
        histogram.add_row(f"{index / len(right):.2f}", *(f"{count:,}" for count in counts), bar)
    console.print(histogram)

    dropped = ", ".join(f"{count:,} {reason}" for reason, count in summary["dropped"].items()) or "none"
    console.print(f"labelled {summary['kept']:,} of {summary['num_samples']:,}; dropped: {dropped}", highlight=False)


def _cells(row: dict[str, Any]) -> list[str]:
    figures = [row[name] for name in ("accuracy", "mean_when_right", "mean_when_wrong")]
    counts = [row["right"] + row["wrong"], row["right"], row["wrong"]]
    return [f"{count:,}" for count in counts] + ["–" if value is None else f"{value:.3f}" for value in figures]
