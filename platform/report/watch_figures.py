"""What stage 3 watches, step by step: journal rows in, one SVG text out."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from emocal_rl.platform.report.palette import BEFORE, STYLE, to_svg
from emocal_rl.platform.report.training_figures import Rows, draw_curves

_SHARE = "advantage/variance_share/"
MONITORS = {
    "Parts of the Brier score": {
        "rollout/brier_reliability": "reliability",
        "rollout/brier_resolution": "resolution",
        "rollout/brier_uncertainty": "uncertainty",
    },
    "Entropy of confidence (bits)": {"rollout/confidence_entropy": "entropy"},
    "Ways out (shares of responses)": {
        "rollout/format_exit_share": "format exit",
        "rollout/decoy_share": "decoy",
        "rollout/repetition_share": "repetition",
    },
    "Still right where the cold start was": {"rollout/retained_accuracy": "retained accuracy"},
    "Raw against normalised advantages": {
        "advantage/confidence_flip_share": "level of confidence flips",
        "advantage/sign_flip_share": "sign flips, term by term",
    },
}
"""Panel title -> metric -> label; the variance shares, whose terms a run decides, are drawn before these."""


def draw_monitors(train: Rows, alarms: Sequence[Mapping[str, Any]] = ()) -> str:
    """Draw every panel of `MONITORS` by step; a dotted line stands where an alarm (an event with a step) sounded."""
    terms = dict.fromkeys(name for row in train for name in row if name.startswith(_SHARE))
    panels = {"Variance share of reward terms": {name: name.removeprefix(_SHARE) for name in terms}, **MONITORS}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 6.0))
        figure.get_layout_engine().set(h_pad=0.12)  # type: ignore[union-attr, call-arg]
        axes = figure.subplots(2, 3)
        for panel, (title, names) in zip(axes.ravel(), panels.items(), strict=True):
            draw_curves(panel, title, train, names)
            for alarm in alarms:
                panel.axvline(alarm["step"], color=BEFORE, linestyle=":", linewidth=1)
        for panel in axes[-1]:
            panel.set_xlabel("step")
        return to_svg(figure)


def draw_tasks(train: Rows) -> str:
    """Draw mean confidence and accuracy of every task; empty text for a run that has not watched."""
    suffix = "/mean_confidence"
    named = dict.fromkeys(
        name for row in train for name in row if name.startswith("rollout/") and name.endswith(suffix)
    )
    tasks = [name.removeprefix("rollout/").removesuffix(suffix) for name in named if name.count("/") == 2]
    if not tasks:
        return ""
    columns = 3
    rows = -(-len(tasks) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 0.6 + 2.2 * rows))
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for panel, task in zip(axes, sorted(tasks), strict=False):
            names = {f"rollout/{task}/accuracy": "accuracy", f"rollout/{task}{suffix}": "mean confidence"}
            draw_curves(panel, task, train, names)
            panel.set_ylim(0, 1)
        for panel in axes[len(tasks) :]:
            panel.set_visible(False)
        for panel in axes[max(0, len(tasks) - columns) : len(tasks)]:
            panel.set_xlabel("step")
            panel.xaxis.set_tick_params(labelbottom=True)
        return to_svg(figure)
