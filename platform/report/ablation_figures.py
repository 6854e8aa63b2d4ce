"""The pictures of an ablation: cells over steps, and what the audit predicted beside what happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emocal_rl.platform.report.palette import BEFORE, INK, MUTED, STYLE
from emocal_rl.platform.report.training_figures import Rows

PANELS = {
    "rollout/mean_confidence": "Mean stated confidence",
    "rollout/accuracy": "Accuracy",
    "rollout/ece": "ECE",
    "rollout/brier": "Brier score",
    "rollout/share_above_0.9": "Share of confidence above 0.9",
    "rollout/decoy_share": "Decoys (share of responses)",
}
_SMOOTHING = 0.8
"""Weight of the past in the moving average of each seed."""


@dataclass(frozen=True)
class Course:
    """One cell's training: journal rows of every seed. `quantile`: Student's t for a band over that many seeds."""

    name: str
    colour: str
    seeds: Sequence[Rows]
    quantile: float | None = None


@dataclass(frozen=True)
class Shift:
    """Mean stated confidence of one cell: at the start, where the audit takes it, and at the end of each seed's run."""

    name: str
    colour: str
    start: float
    predicted: float
    measured: Sequence[float]


def curves_figure(courses: Sequence[Course]) -> Figure:
    """Draw each metric of `PANELS` by step: the mean over seeds of their moving averages, with a 95 % band."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 6.6))
        figure.get_layout_engine().set(h_pad=0.12)  # type: ignore[union-attr, call-arg]
        axes = figure.subplots(2, 3)
        for panel, (metric, title) in zip(axes.ravel(), PANELS.items(), strict=True):
            for course in courses:
                _draw_course(panel, course, metric)
            if "share" in metric:
                panel.set_ylim(0, max(0.05, panel.get_ylim()[1] if panel.lines else 0.0))
            panel.set_title(title)
            panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        for panel in axes[-1]:
            panel.set_xlabel("step")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside lower center", ncols=min(2, len(handles)))
        return figure


def _draw_course(axes: Axes, course: Course, metric: str) -> None:
    series = [_smooth(rows, metric) for rows in course.seeds]
    series = [values for values in series if values]
    if not series:
        return
    steps = sorted(set.intersection(*(set(values) for values in series)))
    if not steps:
        return
    values = np.array([[each[step] for step in steps] for each in series])
    mean = values.mean(axis=0)
    axes.plot(steps, mean, color=course.colour, label=course.name)
    if len(series) > 1 and course.quantile is not None:
        half = course.quantile * values.std(axis=0, ddof=1) / np.sqrt(len(series))
        lower, upper = np.clip(mean - half, 0, 1), np.clip(mean + half, 0, 1)
        axes.fill_between(steps, lower, upper, color=course.colour, alpha=0.15, linewidth=0)


def _smooth(rows: Sequence[Mapping[str, object]], metric: str) -> dict[int, float]:
    """Return step -> exponential moving average."""
    smoothed: dict[int, float] = {}
    last: float | None = None
    for row in rows:
        value, step = row.get(metric), row.get("step")
        if isinstance(value, int | float) and isinstance(step, int):
            last = float(value) if last is None else _SMOOTHING * last + (1 - _SMOOTHING) * value
            smoothed[step] = last
    return smoothed


def shifts_figure(shifts: Sequence[Shift]) -> Figure:
    """Draw a line for each cell from the start to the prediction, and a point for each seed's end."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 1.1 + 0.55 * len(shifts)))
        axes = figure.subplots()
        for height, shift in enumerate(reversed(shifts)):
            axes.annotate(
                "",
                (shift.predicted, height + 0.12),
                (shift.start, height + 0.12),
                arrowprops={"arrowstyle": "-|>", "color": MUTED, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0},
            )
            axes.scatter([shift.predicted], [height + 0.12], marker="|", s=120, color=MUTED, zorder=2)
            axes.scatter([shift.start], [height], marker="o", s=26, color=BEFORE, zorder=3)
            axes.scatter(
                shift.measured, [height - 0.12] * len(shift.measured), s=30, color=shift.colour, edgecolor="white",
                linewidth=0.8, zorder=4,
            )  # fmt: skip
        axes.scatter([], [], s=26, color=BEFORE, label="start")
        axes.plot([], [], color=MUTED, marker=">", label="predicted by the audit")
        axes.scatter([], [], s=30, color=INK, label="measured, each seed")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.6, len(shifts) - 0.4), xlabel="mean stated confidence")
        axes.set_yticks(range(len(shifts)), [shift.name for shift in reversed(shifts)])
        axes.grid(visible=False, axis="y")
        figure.legend(loc="outside upper center", ncols=3)
        return figure
