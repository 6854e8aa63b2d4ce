from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from emocal_rl.platform.report.palette import AFTER, INK, MUTED, STYLE

_COLOURS = LinearSegmentedColormap.from_list("share", ["#ffffff", "#99d5cd", AFTER, "#083f3a"])
_ANNOTATED = 10
"""Up to how many labels every cell has room for its number."""
_PAGE_INCHES = 10.8


@dataclass(frozen=True)
class Confusion:
    """One model's answers: `counts[i][j]` of truth `labels[i]` answered `labels[j]`; the last column is no label."""

    title: str
    labels: Sequence[str]
    counts: Sequence[Sequence[int]]


def confusion_figure(matrices: Sequence[Confusion]) -> Figure:
    """Draw confusion matrices of one label set, as many side by side as fit: each row is a truth's shares of answers.

    The labels stand in the order they are given in: along the emotion ring, mistakes between neighbouring emotions lie
    by the diagonal.
    """
    num_labels = len(matrices[0].labels)
    height = 1.75 + (0.36 if num_labels <= _ANNOTATED else 0.235) * num_labels
    width = height + 0.7
    abreast = min(len(matrices), max(1, int(_PAGE_INCHES // width)))
    num_rows = -(-len(matrices) // abreast)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width * abreast, height * num_rows))
        places = figure.subplots(num_rows, abreast, squeeze=False).ravel()
        for axes, matrix in zip(places, matrices, strict=False):
            _draw(axes, matrix)
        for unused in places[len(matrices) :]:
            unused.set_axis_off()
        return figure


def _draw(axes: Axes, matrix: Confusion) -> None:
    shares = [[count / max(1, sum(row)) for count in row] for row in matrix.counts]
    axes.imshow(shares, cmap=_COLOURS, vmin=0, vmax=1, aspect="equal")
    columns = [*matrix.labels, "no label"]
    axes.set_xticks(range(len(columns)), columns, rotation=90)
    truths = [f"{label}  {sum(row):,}" for label, row in zip(matrix.labels, matrix.counts, strict=True)]
    axes.set_yticks(range(len(truths)), truths)
    axes.axvline(len(matrix.labels) - 0.5, color=MUTED, linewidth=0.8)
    axes.set(title=matrix.title, xlabel="answer", ylabel="truth, samples")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    is_small = len(matrix.labels) <= _ANNOTATED
    size, least = (7.5, 0.005) if is_small else (5.5, 0.045)  # below that the shade is enough
    for y, row in enumerate(shares):
        for x, share in enumerate(row):
            if share >= least:
                colour = "white" if share > 0.45 else INK
                axes.text(x, y, f"{100 * share:.0f}", ha="center", va="center", fontsize=size, color=colour)
