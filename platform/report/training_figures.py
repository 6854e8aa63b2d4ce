"""Learning curves, supervised losses and time by phase: journal rows in, one SVG text out."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emocal_rl.platform.report.palette import AFTER, INK, SERIES, STYLE, to_svg

Rows = Sequence[Mapping[str, Any]]
_SMOOTHING = 0.75
"""Weight of the past in the drawn moving average."""

CURVES = {
    "Accuracy and mean confidence": {"rollout/accuracy": "accuracy", "rollout/mean_confidence": "mean confidence"},
    "Calibration error (lower is better)": {"rollout/ece": "ECE", "rollout/brier": "Brier"},
    "KL to the reference policy": {"loss/kl": "KL"},
    "Shares of responses": {
        "rollout/share_above_0.9": "confidence above 0.9",
        "rollout/well_formed_share": "well-formed",
        "rollout/truncated_share": "truncated",
        "advantage/zero_variance_share": "zero-variance groups",
    },
    "Gradient norm": {"optimizer/grad_norm": "gradient norm"},
}
"""Panel title -> metric -> label; the reward terms, whose names a run decides, are drawn before these."""

PHASES = {
    "time/rollout_s": "rollout",
    "time/reward_s": "reward",
    "time/reference_s": "reference",
    "time/update_s": "update",
    "time/sync_s": "weight sync",
    "time/checkpoint_s": "checkpoint",
    "time/driver_s": "driver alone",
}


def draw_learning_curves(train: Rows, validation: Rows) -> str:
    """Draw every panel of `CURVES` by step; rings are the periodic validation."""
    terms = dict.fromkeys(name for row in train for name in row if name.startswith("reward/"))
    panels = {"Reward terms": {name: name.removeprefix("reward/") for name in terms}, **CURVES}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 6.0))
        figure.get_layout_engine().set(h_pad=0.12)  # type: ignore[union-attr, call-arg]
        axes = figure.subplots(2, 3)
        for panel, (title, names) in zip(axes.ravel(), panels.items(), strict=True):
            draw_curves(panel, title, train, names)
            _draw_rings(panel, validation, names)
        for panel in axes[-1]:
            panel.set_xlabel("step")
        return to_svg(figure)


def draw_sft_losses(rows: Rows) -> str:
    """Draw the loss of each supervised stage by the stage's own step, beside the evaluation loss where there is one."""
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 2.7))
        for axes, stage in zip(figure.subplots(1, len(stages), squeeze=False)[0], stages, strict=True):
            of_stage = [row for row in rows if row["stage"] == stage]
            evaluated = any("eval_loss" in row for row in of_stage)
            names = {"loss": "training"} | ({"eval_loss": "evaluation"} if evaluated else {})
            draw_curves(axes, f"Loss of stage {stage}", of_stage, names)
            axes.set_xlabel("step")
        return to_svg(figure)


def draw_phase_times(train: Rows) -> str:
    """Draw mean seconds by phase beside the course of a step's time. Phases overlap: groups stream between roles."""
    means = {label: _mean(train, name) for name, label in reversed(PHASES.items())}
    shown = {label: mean for label, mean in means.items() if mean is not None}
    step_s = _mean(train, "time/step_s") or sum(shown.values()) or 1.0
    longest = max([step_s, *shown.values()])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 3.0))
        bars, course = figure.subplots(1, 2, width_ratios=[1, 1.2])
        bars.barh(list(shown), list(shown.values()), color=AFTER, alpha=0.8, height=0.62)
        for position, mean in enumerate(shown.values()):
            text = f"{mean:.2f} s  ({mean / step_s:.0%})"
            bars.text(mean + longest * 0.015, position, text, va="center", fontsize=8, color=INK)
        bars.set(title=f"Mean seconds by phase, of {step_s:.2f} s a step", xlim=(0, longest * 1.3))
        bars.grid(visible=False, axis="y")
        names = {"time/step_s": "step", "time/rollout_s": "rollout", "time/update_s": "update"}
        draw_curves(course, "Seconds per step", train, names)
        course.set(xlabel="step", ylim=(0, None))
        return to_svg(figure)


def draw_curves(axes: Axes, title: str, rows: Rows, names: Mapping[str, str]) -> None:
    """Draw each metric faintly as measured and in full colour as its exponential moving average."""
    for colour, (name, label) in zip(SERIES, names.items(), strict=False):
        points = _points(rows, name)
        if not points:
            continue
        steps, values = zip(*points, strict=True)
        averaged = [values[0]]
        for value in values[1:]:
            averaged.append(_SMOOTHING * averaged[-1] + (1 - _SMOOTHING) * value)
        axes.plot(steps, values, color=colour, alpha=0.25, linewidth=1)
        axes.plot(steps, averaged, color=colour, label=label)
    axes.set_title(title)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if axes.lines and len(names) > 1:
        axes.legend(loc="best", handlelength=1.2)


def _draw_rings(axes: Axes, validation: Rows, names: Sequence[str] | Mapping[str, str]) -> None:
    for colour, name in zip(SERIES, names, strict=False):
        points = _points(validation, name.removeprefix("rollout/"))
        if points:
            steps, values = zip(*points, strict=True)
            axes.scatter(steps, values, s=22, facecolor="white", edgecolor=colour, linewidth=1.4, zorder=3)


def _points(rows: Rows, name: str) -> list[tuple[int, float]]:
    return [(row["step"], float(row[name])) for row in rows if row.get(name) is not None]


def _mean(rows: Rows, name: str) -> float | None:
    values = [value for _, value in _points(rows, name)]
    return sum(values) / len(values) if values else None
