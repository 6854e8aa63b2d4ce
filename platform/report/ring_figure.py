"""Emotion rings drawn: every label at its place on the loop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emocal_rl.platform.report.palette import GRID, INK, SERIES, STYLE


@dataclass(frozen=True)
class RingPanel:
    """One ring. `marks`: (label, arc position in [0, 1), group); labels of one group share a colour."""

    title: str
    marks: Sequence[tuple[str, float, str]]


def draw_rings(panels: Sequence[RingPanel]) -> Figure:
    """Draw rings side by side, clockwise from the top."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.0 * len(panels), 5.0))
        for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            _draw(axes, panel)
        return figure


def _draw(axes: Axes, panel: RingPanel) -> None:
    turn = [i / 180 * math.pi for i in range(361)]
    axes.plot([math.sin(angle) for angle in turn], [math.cos(angle) for angle in turn], color=GRID, linewidth=1.6)
    groups = list(dict.fromkeys(group for _, _, group in panel.marks))
    for label, position, group in panel.marks:
        angle, colour = 2 * math.pi * position, SERIES[groups.index(group) % len(SERIES)]
        x, y = math.sin(angle), math.cos(angle)
        axes.plot(x, y, "o", color=colour, markersize=6)
        is_right = position < 0.5
        axes.text(
            1.07 * x,
            1.07 * y,
            f"{label} {position:.4f}" if is_right else f"{position:.4f} {label}",
            color=INK,
            fontsize=7,
            ha="left" if is_right else "right",
            va="center",
            rotation=(90 if is_right else 270) - 360 * position,
            rotation_mode="anchor",
        )
    axes.text(0, 0, panel.title, ha="center", va="center", fontsize=12, weight="bold")
    axes.set(xlim=(-1.75, 1.75), ylim=(-1.75, 1.75), aspect="equal")
    axes.axis("off")
