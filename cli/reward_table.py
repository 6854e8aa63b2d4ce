from collections.abc import Sequence
from statistics import fmean

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.whole_table import print_whole
from emocal_rl.platform.contracts import RewardedResponse

_MAX_ROWS = 50
_MAX_ANSWER = 24


def print_rewards(ids: Sequence[str], rewarded: Sequence[RewardedResponse], console: Console | None = None) -> None:
    """Print the terms of every response, the first 50, and the means over those that are not masked."""
    names = list(dict.fromkeys(name for response in rewarded for name in response.terms))
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for title in ("id", "answer", "right", "conf."):
        table.add_column(title, no_wrap=True)
    for title in (*names, "total"):
        table.add_column(title, justify="right", no_wrap=True)
    for row_id, response in list(zip(ids, rewarded, strict=True))[:_MAX_ROWS]:
        answer = response.answer or "–"
        values = [f"{response.terms[name]:.4f}" if name in response.terms else "–" for name in names]
        total = f"{response.total:.4f}" if response.masked is None else f"masked ({response.masked})"
        confidence = "–" if response.confidence is None else f"{response.confidence:g}"
        table.add_row(
            row_id, answer[:_MAX_ANSWER], "yes" if response.correct else "no", confidence, *values, total
        )  # fmt: skip
    kept = [response for response in rewarded if response.masked is None]
    if kept:
        means = [fmean(response.terms[name] for response in kept) for name in names]
        means.append(fmean(response.total for response in kept))
        right = fmean(response.correct for response in kept)
        table.add_section()
        table.add_row("mean", "", f"{right:.0%}", "", *(f"{mean:.4f}" for mean in means), style="bold")
    console = console or Console()
    print_whole(table, console)
    if len(rewarded) > _MAX_ROWS:
        console.print(f"The first {_MAX_ROWS} of {len(rewarded):,} responses; --json prints all of them.")
    if len(kept) < len(rewarded):
        console.print(f"Masked, and so outside the means: {len(rewarded) - len(kept):,}.")
