"""The end of a supervised run on the terminal."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.whole_table import print_whole
from emocal_rl.platform.report.html import format_duration, format_number
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import read_journal

_NUM_ROWS = 5


def print_result(run: RunDirectory, console: Console) -> None:
    """Print some steps from first to last, then what the whole run used and dropped."""
    rows = list(read_journal(run, "sft"))
    if not rows:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("Step", "Loss", "Evaluation loss", "Learning rate", "Gradient norm", "Tokens/s"):
        table.add_column(title, justify="right")
    for row in shown_rows(rows):
        table.add_row(
            str(row["step"]),
            format_number(row["loss"], 4),
            format_number(row.get("eval_loss"), 4),
            f"{row['learning_rate']:.2e}",
            format_number(row["grad_norm"]),
            f"{row['tokens_per_s']:,.0f}",
        )
    print_whole(table, console)
    tokens, images = (sum(row[name] for row in rows) for name in ("num_tokens", "image_tokens"))
    seconds, dropped = sum(row["time/step_s"] for row in rows), sum(row["dropped"] for row in rows)
    console.print(
        f"{tokens:,} tokens, {images:,} of them of images, in {format_duration(seconds)} of steps; "
        f"{dropped:,} over-long demonstrations dropped",
        highlight=False,
        soft_wrap=True,
    )


def shown_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first row, the last, those with an evaluation loss, and some in between; in order.

    At most `_NUM_ROWS` evaluations are shown, the last of them.
    """
    spread = {round(i * (len(rows) - 1) / max(1, _NUM_ROWS - 1)) for i in range(_NUM_ROWS)}
    evaluated = [index for index, row in enumerate(rows) if row.get("eval_loss") is not None]
    return [rows[index] for index in sorted({*spread, *evaluated[-_NUM_ROWS:]})]
