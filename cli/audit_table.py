"""A reward audit on the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.whole_table import print_whole

_STYLES = {"good": "green", "warning": "yellow", "bad": "red"}
_MARKS = {"good": "ok", "warning": "!", "bad": "no"}


def print_audit(audit: Mapping[str, Any], console: Console) -> None:
    """Print `Audit.to_dict()`: the verdicts, the decoys, and where each estimator takes confidence."""
    for verdict in audit["verdicts"]:
        mark = f"[{_STYLES[verdict['tone']]}]{_MARKS[verdict['tone']]:<3}[/]"
        console.print(f"{mark} {verdict['question']}", highlight=False)
        number = f"  ({verdict['unit']}: {verdict['number']:.3f})" if verdict["number"] is not None else ""
        console.print(f"    {verdict['answer']}{number}", markup=False, highlight=False, soft_wrap=True)
    print_whole(_decoys(audit), console)
    print_whole(_effects(audit), console)


def _decoys(audit: Mapping[str, Any]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title="A decoy beats honesty below p =", title_justify="left")
    table.add_column("Answer chosen to be wrong", no_wrap=True)
    for title in ("As configured", "Without clip"):
        table.add_column(title, justify="right")
    for decoy in audit["decoys"]:
        stated = "c → 0" if decoy["confidence"] == 0 else f"c = {decoy['confidence']}"
        classes = decoy["num_classes"]
        name = f"certainly wrong, {stated}" if classes is None else f"{classes} classes, the rest uniform"
        values = [decoy["configured"], decoy["unclipped"]]
        table.add_row(name, *("never" if value is None else f"{value:.3f}" for value in values))
    return table


def _effects(audit: Mapping[str, Any]) -> Table:
    title = f"Mean stated confidence at the end, groups of {audit['group_size']}"
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for column in ("Advantages", "Start"):
        table.add_column(column, no_wrap=True)
    for p in audit["effects"][0]["p"]:
        table.add_column(f"p={p:.1f}", justify="right")
    table.add_column("Method", no_wrap=True)
    for effect in audit["effects"]:
        correctness = "" if effect["correctness"] == "any" else f", {effect['correctness']}"
        error = f", error {effect['error']:.0e}" if effect["error"] else ""
        means = (f"{mean:.2f}" for mean in effect["mean"])
        table.add_row(f"{effect['advantage']}{correctness}", effect["start"], *means, f"{effect['method']}{error}")
    return table
