"""Reliability diagrams and confidence histograms: plain data in, one figure (or its SVG text) out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from emocal_rl.platform.report.palette import GRID, INK, MUTED, ORACLE, STYLE, to_svg
from emocal_rl.platform.report.wilson import wilson_interval

Bins = Sequence[Mapping[str, Any]]
_BAR = 0.94
"""Share of a bin's width its bar fills."""


@dataclass(frozen=True)
class Panel:
    """One policy's calibration.

    `bins`: lower, upper, count, mean_confidence, accuracy. `histogram`: counts in equal bins over [0, 1]; `spread`: the
    95 % interval of each bin's share over seeds, where there are several. `num_repeats`: how often each sample was
    asked; the bins hold all of it.
    """

    title: str
    colour: str
    bins: Bins = ()
    ece: float | None = None
    histogram: Sequence[int] = ()
    spread: Sequence[tuple[float, float]] = ()
    num_repeats: int = 1


def draw_reliability(panels: Sequence[Panel]) -> str:
    """Draw `reliability_figure` as SVG."""
    return to_svg(reliability_figure(panels))


def reliability_figure(panels: Sequence[Panel]) -> Figure:
    """Draw reliability diagrams side by side, each over the number of responses in its bins.

    The bars of the points are Wilson's 95 % intervals of the bin's accuracy.
    """
    most = max((row["count"] for panel in panels for row in panel.bins), default=1)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2 * _columns(panels), 5.4 * _num_rows(panels)))
        for part, row in _rows(figure, panels):
            axes = part.subplots(2, _columns(panels), squeeze=False, sharex=True, sharey="row", height_ratios=[4.2, 1])
            for column, panel in enumerate(row):
                _draw_diagram(axes[0, column], panel)
                _draw_counts(axes[1, column], panel, most)
            for unused in axes[:, len(row) :].ravel():
                unused.set_axis_off()
            axes[0, 0].set_ylabel("accuracy")
            axes[1, 0].set_ylabel("responses")
        return figure


def _columns(panels: Sequence[Panel]) -> int:
    """Return how many panels stand in one row: three at most, four in a square."""
    return 2 if len(panels) == 4 else min(3, len(panels))


def _num_rows(panels: Sequence[Panel]) -> int:
    return -(-len(panels) // _columns(panels))


def _rows(figure: Figure, panels: Sequence[Panel]) -> Iterator[tuple[Any, Sequence[Panel]]]:
    """Yield a part of the figure for each row of panels."""
    figure.get_layout_engine().set(w_pad=0.1)  # type: ignore[union-attr, call-arg]
    parts, columns = figure.subfigures(_num_rows(panels), 1, squeeze=False)[:, 0], _columns(panels)
    for index, part in enumerate(parts):
        yield part, panels[index * columns : (index + 1) * columns]


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
    intervals = [wilson_interval(row["accuracy"], row["count"] / panel.num_repeats) for row in filled]
    axes.vlines(confidence, *zip(*intervals, strict=True) if intervals else ((), ()), color=INK, linewidth=1, alpha=0.8)
    axes.scatter(
        confidence, accuracy, s=sizes, color=panel.colour, edgecolor="white", linewidth=1, zorder=3, clip_on=False
    )
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
    """Draw `histogram_figure` as SVG."""
    return to_svg(histogram_figure(panels))


def histogram_figure(panels: Sequence[Panel]) -> Figure:
    """Draw the share of stated confidences in each bin, one panel each, on one scale (the paper's Figure 6)."""
    most = max((_top(panel) for panel in panels), default=1.0)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2 * _columns(panels), 2.6 * _num_rows(panels)))
        for part, row in _rows(figure, panels):
            axes = part.subplots(1, _columns(panels), squeeze=False, sharey=True)[0]
            for place, panel in zip(axes, row, strict=False):
                _draw_histogram(place, panel)
                place.set_ylim(0, most * 1.05)
            for unused in axes[len(row) :]:
                unused.set_axis_off()
            axes[0].set_ylabel("share of responses")
        return figure


def _shares(panel: Panel) -> list[float]:
    total = sum(panel.histogram) or 1
    return [count / total for count in panel.histogram]


def _top(panel: Panel) -> float:
    return max([*_shares(panel), *(high for _, high in panel.spread)], default=0.0)


def _draw_histogram(axes: Axes, panel: Panel) -> None:
    shares, num_bins = _shares(panel), max(len(panel.histogram), 1)
    lower = [index / num_bins for index in range(len(shares))]
    axes.bar(lower, shares, _BAR / num_bins, align="edge", color=panel.colour, alpha=0.8, linewidth=0)
    if panel.spread:
        middle = [left + _BAR / num_bins / 2 for left in lower]
        axes.vlines(middle, *zip(*panel.spread, strict=True), color=INK, linewidth=1.2)
    axes.set(xlim=(0, 1), title=panel.title, xlabel="stated confidence")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
