from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from emocal_rl.platform.report.palette import AFTER, INK, MUTED, STYLE

_COLOURS = LinearSegmentedColormap.from_list("share", ["#ffffff", "#99d5cd", AFTER, "#083f3a"])
_ANNOTATED = 10
"""Up to how many labels a cell has room for its number."""


@dataclass(frozen=True)
class Confusion:
    """One model's answers: `counts[i][j]` of truth `labels[i]` answered `labels[j]`; the last column is no label."""

    title: str
    labels: Sequence[str]
    counts: Sequence[Sequence[int]]


def confusion_figure(matrices: Sequence[Confusion], title: str) -> Figure:
    """Draw confusion matrices of one label set side by side: each row the shares of one truth's answers.

    The labels stand in the order they are given in: along the emotion ring, mistakes between neighbouring emotions lie
    by the diagonal.
    """
    num_labels = max(len(matrix.labels) for matrix in matrices)
    side = 1.7 + (0.46 if num_labels <= _ANNOTATED else 0.235) * num_labels
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(side * 1.08 * len(matrices) + 0.9, side + 0.5))
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, weight="bold")
        places = figure.subplots(1, len(matrices), squeeze=False)[0]
        for axes, matrix in zip(places, matrices, strict=True):
            _draw(axes, matrix, is_first=axes is places[0])
        shades = mpl.cm.ScalarMappable(mpl.colors.Normalize(0, 1), _COLOURS)
        bar = figure.colorbar(shades, ax=list(places), shrink=0.6, aspect=28, pad=0.015)
        bar.ax.yaxis.set_major_formatter(mpl.ticker.PercentFormatter(1, decimals=0))
        bar.outline.set_visible(False)
        return figure


def _draw(axes: Axes, matrix: Confusion, *, is_first: bool) -> None:
    shares = [[count / max(1, sum(row)) for count in row] for row in matrix.counts]
    axes.imshow(shares, cmap=_COLOURS, vmin=0, vmax=1, aspect="equal")
    columns = [*matrix.labels, "no label"]
    axes.set_xticks(range(len(columns)), columns, rotation=90)
    truths = [f"{label}  {sum(row):,}" for label, row in zip(matrix.labels, matrix.counts, strict=True)]
    axes.set_yticks(range(len(truths)), truths)
    axes.axvline(len(matrix.labels) - 0.5, color=MUTED, linewidth=0.8)
    axes.set(title=matrix.title, xlabel="answer")
    if is_first:
        axes.set_ylabel("truth, number of samples")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    if len(matrix.labels) > _ANNOTATED:
        return
    for y, row in enumerate(shares):
        for x, share in enumerate(row):
            if share >= 0.005:
                colour = "white" if share > 0.55 else INK
                axes.text(x, y, f"{100 * share:.0f}", ha="center", va="center", fontsize=7.5, color=colour)
