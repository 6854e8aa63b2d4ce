"""Colours and type of the figures; `report.css` names the same colours."""

import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from emocal_rl.platform.errors import UserError
from emocal_rl.platform.runs.atomic import replacing

BEFORE = "#c2410c"
AFTER = "#0f766e"
ORACLE = "#64748b"
INK = "#1e293b"
MUTED = "#64748b"
GRID = "#e2e8f0"
SERIES = ("#0f766e", "#c2410c", "#4f46e5", "#a16207", "#be185d", "#0369a1", "#4d7c0f")
"""Distinguishable on white, also for the common colour-vision deficiencies when told apart by legend order."""

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": "#94a3b8",
    "axes.labelcolor": MUTED,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.8,
    "figure.constrained_layout.use": True,
    "text.parse_math": False,  # a dollar sign in a label is no formula
    "svg.hashsalt": "emocal-rl",
    "svg.fonttype": "path",
}
"""Matplotlib settings of every figure; the hash salt makes the same data draw the same bytes."""


def to_svg(figure: Figure) -> str:
    """Write a figure as one `<svg>` element without date or creator."""
    stream = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def check_figure_path(key: str, path: Path) -> None:
    """Refuse a path that `write_figure` cannot serve.

    Raises:
        UserError: about the option `key`.
    """
    if path.suffix.lower() not in (".png", ".svg"):
        raise UserError(key, str(path), rule="must be a .png or .svg file")


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG or SVG, by the path's suffix; missing folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        if path.suffix.lower() == ".svg":
            temporary.write_text(to_svg(figure), encoding="utf-8")
        else:
            with mpl.rc_context(STYLE):
                figure.savefig(temporary, format="png", dpi=160, metadata={"Software": None})
