"""The paper's Table 6 of a run, on the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_LABELS = {"base": "Base", "scaffold": "Scaffold", "cold_start": "Cold start", "calibrated": "Calibrated"}
_COLUMNS = {"accuracy": "Acc", "ece": "ECE", "brier": "Brier"}

Groups = Mapping[str, Mapping[str, float | None]]


def print_evolvement(evolvement: Mapping[str, Any], console: Console) -> None:
    """Print accuracy, ECE and Brier (percent) of every model and group; the published ones and the oracle's beneath."""
    models, published = evolvement["models"], evolvement["published"]
    groups = list(dict.fromkeys(group for row in models.values() for group in row))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Model", no_wrap=True)
    for group in groups:
        for number, title in enumerate(_COLUMNS.values()):
            table.add_column(f"{'' if number else group}\n{title}", justify="right", no_wrap=True)
    for name, row in models.items():
        table.add_row(_LABELS[name], *_cells(row, groups))
        if published:
            table.add_row("  published", *_cells(published["models"][name], groups), style="dim")
    if oracle := evolvement.get("oracle"):
        table.add_row("Oracle", *_cells(oracle, groups), style="dim italic")
    console.print(table)
    if published:
        console.print(f"published: {published['source']}", highlight=False)


def _cells(row: Groups, groups: list[str]) -> list[str]:
    values = [row.get(group, {}).get(column) for group in groups for column in _COLUMNS]
    return ["-" if value is None else f"{value:.2f}" for value in values]
