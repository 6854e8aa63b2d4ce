"""Reliability diagrams and confidence histograms: plain data in, one SVG text out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from emocal_rl.platform.report.palette import GRID, MUTED, ORACLE, STYLE, to_svg

Bins = Sequence[Mapping[str, Any]]
_BAR = 0.94
"""Share of a bin's width its bar fills."""


@dataclass(frozen=True)
class Panel:
    """One policy's calibration. `bins`: lower, upper, count, mean_confidence, accuracy. `histogram`: equal bins."""

    title: str
    colour: str
    bins: Bins = ()
    ece: float | None = None
    histogram: Sequence[int] = ()


def draw_reliability(panels: Sequence[Panel]) -> str:
    """Draw reliability diagrams side by side, each over the number of responses in its bins."""
    most = max((row["count"] for panel in panels for row in panel.bins), default=1)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2 * len(panels), 5.4))
        axes = figure.subplots(2, len(panels), squeeze=False, sharex=True, sharey="row", height_ratios=[4.2, 1])
        for column, panel in enumerate(panels):
            _draw_diagram(axes[0, column], panel)
            _draw_counts(axes[1, column], panel, most)
        axes[0, 0].set_ylabel("accuracy")
        axes[1, 0].set_ylabel("responses")
        return to_svg(figure)


def _draw_diagram(axes: Axes, panel: Panel) -> None:
    axes.plot([0, 1], [0, 1], color=ORACLE, linestyle=(0, (4, 3)), linewidth=1.2)
    filled = [row for row in panel.bins if row["count"]]
    for row in filled:
        width = (row["upper"] - row["lower"]) * _BAR
        axes.bar(row["lower"], row["accuracy"], width, align="edge", color=panel.colour, alpha=0.2, linewidth=0)
    confidence = [row["mean_confidence"] for row in filled]
    accuracy = [row["accuracy"] for row in filled]
    total = sum(row["count"] for row in filled) or 1
    sizes = [16 + 260 * row["count"] / total for row in filled]
    axes.vlines(confidence, confidence, accuracy, color=panel.colour, linewidth=1.4, alpha=0.55)
    axes.scatter(confidence, accuracy, s=sizes, color=panel.colour, edgecolor="white", linewidth=1, zorder=3)
    axes.set(xlim=(0, 1), ylim=(0, 1), title=panel.title)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if panel.ece is not None:
        box = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": GRID}
        axes.text(
            0.05, 0.93, f"ECE {panel.ece:.3f}", color=panel.colour, fontsize=11, weight="bold", va="top", bbox=box
        )


def _draw_counts(axes: Axes, panel: Panel, most: int) -> None:
    for row in panel.bins:
        width, count = row["upper"] - row["lower"], row["count"]
        axes.bar(row["lower"], count, width * _BAR, align="edge", color=panel.colour, alpha=0.75, linewidth=0)
        if count:
            middle = row["lower"] + width * _BAR / 2
            axes.text(middle, count + most * 0.05, str(count), ha="center", va="bottom", fontsize=7, color=MUTED)
    axes.set(ylim=(0, most * 1.4), xlabel="stated confidence")
    axes.set_yticks([])
    axes.grid(visible=False)


def draw_histograms(panels: Sequence[Panel]) -> str:
    """Draw the share of stated confidences in each bin, one panel each, on one scale."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2 * len(panels), 2.6))
        rows = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, panel in zip(rows, panels, strict=True):
            num_bins, total = len(panel.histogram), sum(panel.histogram) or 1
            lower = [i / num_bins for i in range(num_bins)]
            shares = [count / total for count in panel.histogram]
            axes.bar(lower, shares, _BAR / max(num_bins, 1), align="edge", color=panel.colour, alpha=0.8, linewidth=0)
            axes.set(xlim=(0, 1), title=panel.title, xlabel="stated confidence")
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        rows[0].set_ylabel("share of responses")
        return to_svg(figure)
