"""What `launch` shows while it works: a live panel on a terminal, plain lines elsewhere."""

import itertools
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from emocal_rl.platform import progress

Row = Mapping[str, float | int | str | None]

METRICS = {
    "rollout/samples_per_s": ("samples/s", "{:.1f}"),
    "rollout/tokens_per_s": ("tokens/s", "{:,.0f}"),
    "reward/total": ("reward", "{:+.3f}"),
    "reward/format": ("R format", "{:.3f}"),
    "reward/correctness": ("R correctness", "{:.3f}"),
    "reward/confidence": ("R confidence", "{:+.3f}"),
    "rollout/accuracy": ("accuracy", "{:.3f}"),
    "rollout/mean_confidence": ("mean conf.", "{:.3f}"),
    "rollout/ece": ("ECE", "{:.3f}"),
    "rollout/brier": ("Brier", "{:.3f}"),
    "rollout/share_above_0.9": ("conf. > 0.9", "{:.0%}"),
    "loss/kl": ("KL", "{:.4f}"),
    "rollout/masked": ("masked", "{:.0f}"),
    "rollout/refused": ("prompts refused", "{:.0f}"),
    "optimizer/skipped_updates": ("skipped updates", "{:.0f}"),
    "loss": ("loss", "{:.3f}"),
    "eval_loss": ("evaluation loss", "{:.4f}"),
    "accuracy": ("accuracy", "{:.3f}"),
    "mean_confidence": ("mean conf.", "{:.3f}"),
    "ece": ("ECE", "{:.3f}"),
    "brier": ("Brier", "{:.3f}"),
}
"""Shown metrics of a journal row, in order: label and format."""
_TROUBLE = frozenset({"rollout/masked", "rollout/refused", "optimizer/skipped_updates"})
"""Counts that are shown where they are not 0."""


class LiveView(progress.Progress, Protocol):
    """A listener that is entered while it draws."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_view(console: Console | None = None) -> LiveView:
    """Return the view that fits where the output goes."""
    console = console or Console()
    return PanelView(console) if console.is_terminal and not console.is_dumb_terminal else LineView(console)


def shown_metrics(row: Row) -> dict[str, str]:
    """Return label -> text for the metrics of a journal row that are shown."""
    return {
        label: pattern.format(value)
        for name, (label, pattern) in METRICS.items()
        if isinstance(value := row.get(name), int | float) and (value or name not in _TROUBLE)
    }


def alarm_text(row: Row) -> str | None:
    """Return what to say of a journal row that is an alarm."""
    return f"ALARM {row['message']}" if row["kind"] == "event" and row.get("name") == "alarm" else None


class LineView:
    """One line per phase, per journal row, and per tenth of a phase that has no rows; for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started_s = time.monotonic()
        self._name, self._done, self._told = "", 0, 0
        self._total: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Say that a phase begins."""
        self._name, self._total, self._done, self._told = name, total, 0, 0
        self._print(f"{name}" if total is None else f"{name}: 0/{total}")

    def advance(self, count: int = 1) -> None:
        """Say it at every tenth of the phase."""
        self._done += count
        if self._total and self._done * 10 // self._total > self._told * 10 // self._total:
            self._told = self._done
            self._print(f"{self._name}: {self._done}/{self._total}")

    def metrics(self, row: Row) -> None:
        """Say one journal row's metrics, or its alarm."""
        if (alarm := alarm_text(row)) is not None:
            self.message(alarm)
        shown = "  ".join(f"{label} {text}" for label, text in shown_metrics(row).items())
        if shown:
            self._print(f"{row.get('stage', row['kind'])} step {row.get('step', '-')}: {shown}")

    def message(self, text: str) -> None:
        """Say it."""
        self._print(text)

    def _print(self, text: str) -> None:
        line = f"[{time.monotonic() - self._started_s:7.1f} s] {text}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class PanelView:
    """A panel that redraws itself: the phase's progress, the newest metrics, the course of the ECE, and alarms."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None, complete_style="cyan"),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            expand=True,
        )
        self._task = self._progress.add_task("starting", total=None)
        self._row: dict[str, str] = {}
        self._ece: list[float] = []
        self._alarms: list[str] = []
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last panel on the screen."""
        self._live.stop()

    def phase(self, name: str, total: int | None = None) -> None:
        """Start a fresh progress bar."""
        self._progress.reset(self._task, description=name, total=total)

    def advance(self, count: int = 1) -> None:
        """Move the bar."""
        self._progress.advance(self._task, count)

    def metrics(self, row: Row) -> None:
        """Show a journal row; validation rows and alarms stand in a line above the panel, alarms' names in it too."""
        if (alarm := alarm_text(row)) is not None:
            self._alarms.append(f"{row['alarm']} (step {row['step']})")
            self.message(alarm)
            return
        if row["kind"] == "validation":
            shown = "  ".join(f"{label} {text}" for label, text in shown_metrics(row).items())
            self.message(f"validation at step {row.get('step')}: {shown}")
            return
        self._row = shown_metrics(row) or self._row
        ece = row.get("rollout/ece")
        if isinstance(ece, int | float):
            self._ece.append(float(ece))

    def message(self, text: str) -> None:
        """Print a line above the panel."""
        self._live.console.print(text, markup=False, highlight=False)

    def _render(self) -> RenderableType:
        grid = Table.grid(padding=(0, 3))
        items = [Text.assemble((f"{label} ", "dim"), (text, "bold")) for label, text in self._row.items()]
        for start in range(0, len(items), 4):
            grid.add_row(*items[start : start + 4])
        parts: list[RenderableType] = [self._progress]
        if items:
            parts += [Text(), grid]
        if len(self._ece) > 1:
            parts.append(Text.assemble(("ECE ", "dim"), (sparkline(self._ece), "cyan")))
        if self._alarms:
            parts.append(Text.assemble(("alarms ", "dim"), (", ".join(self._alarms), "bold red")))
        return Panel(Group(*parts), title="emocal-rl", title_align="left", border_style="dim")


def sparkline(values: list[float], width: int = 60) -> str:
    """Draw values over [0, their maximum] in eighths of a line; more than `width` of them are averaged together."""
    if len(values) > width:
        edges = [round(i * len(values) / width) for i in range(width + 1)]
        values = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    top = max(values) or 1.0
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(max(value, 0.0) / top * 8))] for value in values)
