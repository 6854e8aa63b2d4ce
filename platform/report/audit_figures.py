"""The pictures of a reward audit, from its plain data (`rewards audit --json`)."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from emocal_rl.platform.report.palette import AFTER, BEFORE, GRID, INK, MUTED, ORACLE, SERIES, STYLE

AuditData = Mapping[str, Any]
Array = npt.NDArray[np.float64]

_LOSS = LinearSegmentedColormap.from_list("loss", ["#ffffff", "#fde3d3", "#f0a57c", BEFORE, "#5b1d06"])
_MASS = LinearSegmentedColormap.from_list("mass", ["#ffffff", "#cdeae6", "#5fb3aa", AFTER, "#053b37"])
_DASHED = (0, (4, 3))
_FRAMED: dict[str, Any] = {"frameon": True, "facecolor": "white", "edgecolor": GRID, "framealpha": 0.9}


def draw_reward(audit: AuditData) -> Figure:
    """Draw what an answer earns by its confidence, what a misreport costs, and what honesty earns."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(14.2, 4.5))
        figure.get_layout_engine().set(wspace=0.05)  # type: ignore[union-attr, call-arg]
        totals, loss, value = figure.subplots(1, 3)
        _draw_totals(totals, audit)
        _draw_loss(loss, figure, audit)
        _draw_value(value, audit)
        return figure


def draw_effects(audit: AuditData) -> Figure:
    """Draw where each estimator takes the stated confidence at each success probability, one row for each start."""
    effects = audit["effects"]
    starts = list(dict.fromkeys(effect["start"] for effect in effects))
    kinds = list(dict.fromkeys((effect["advantage"], effect["correctness"]) for effect in effects))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6 * len(kinds) + 0.8, 4.4 * len(starts) + 0.1))
        figure.get_layout_engine().set(wspace=0.05, hspace=0.06)  # type: ignore[union-attr, call-arg]
        axes = figure.subplots(len(starts), len(kinds), squeeze=False, sharex=True, sharey=True)
        for effect in effects:
            row, column = starts.index(effect["start"]), kinds.index((effect["advantage"], effect["correctness"]))
            image = _draw_effect(axes[row, column], effect, audit["group_size"])
        for row, start in zip(axes, starts, strict=True):
            row[0].set_ylabel(f"stated confidence, from {start}" if len(starts) > 1 else "stated confidence")
        for panel in axes[-1]:
            panel.set_xlabel("success probability p")
        bar = figure.colorbar(image, ax=axes, shrink=0.8, pad=0.01)
        bar.set_label("mass at the end")
        bar.outline.set_visible(False)
        return figure


def _draw_totals(axes: Axes, audit: AuditData) -> None:
    confidence, right, wrong = (_numbers(audit["totals"][name]) for name in ("c", "right", "wrong"))
    axes.plot(confidence, right, color=AFTER, label="right answer")
    axes.plot(confidence, wrong, color=BEFORE, label="wrong answer")
    exits = [exit_["wrong"] for exit_ in audit["exits"] if exit_["wrong"] is not None]
    if exits:
        best = max(exits)
        axes.axhline(best, color=ORACLE, linestyle=_DASHED, linewidth=1.2, label=f"best malformed output, {best:.3g}")
    for start, end in {tuple(interval) for exit_ in audit["exits"] for interval in exit_["beats_wrong"]}:
        where = f"c > {start:.3f}" if end == 1 else f"{start:.3f} < c < {end:.3f}"
        label = f"it beats a wrong answer: {where}"
        axes.axvspan(start, end, color=BEFORE, alpha=0.12, linewidth=0, label=label)
    axes.set(xlim=(0, 1), xlabel="stated confidence c", ylabel="total reward", title="What an answer earns")
    axes.legend(loc="lower center", **_FRAMED)


def _draw_loss(axes: Axes, figure: Figure, audit: AuditData) -> None:
    confidence, right, wrong = (_numbers(audit["totals"][name]) for name in ("c", "right", "wrong"))
    expected = np.outer(confidence, right) + np.outer(1 - confidence, wrong)
    loss = np.nanmax(expected, axis=1, keepdims=True) - expected
    shown = np.sqrt(loss)  # near the best, where it matters, a linear scale shows nothing
    top = float(np.nanpercentile(shown, 97)) or 1.0
    image = axes.imshow(
        shown.T, origin="lower", extent=(0, 1, 0, 1), cmap=_LOSS, vmin=0, vmax=top, interpolation="bilinear"
    )
    axes.plot([0, 1], [0, 1], color=INK, linestyle=_DASHED, linewidth=1, label="honest: c = p")
    best = _numbers(audit["properness"]["best_c"])
    axes.plot(
        _numbers(audit["properness"]["p"])[::4],
        best[::4],
        "o",
        color=SERIES[2],
        markersize=3.2,
        label="best: c*(p)",
        clip_on=False,
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="success probability p", ylabel="stated confidence c")
    axes.set_title(f"What a misreport costs: {audit['properness']['verdict']}")
    axes.grid(visible=False)
    axes.legend(loc="lower right", **_FRAMED)
    bar = figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02)
    ticks = np.linspace(0, top, 5)
    bar.set_ticks(ticks.tolist(), labels=[f"{tick**2:.2g}" for tick in ticks])
    bar.set_label("expected reward lost")
    bar.outline.set_visible(False)


def _draw_value(axes: Axes, audit: AuditData) -> None:
    value = audit["honest_value"]
    axes.plot(_numbers(value["p"]), _numbers(value["total"]), color=AFTER, label="honest answer")
    for number, fall in enumerate(value["falls"]):
        label = None if number else "falls: a better answer earns less"
        axes.axvspan(fall["start"], fall["end"], color=BEFORE, alpha=0.1, linewidth=0, label=label)
    shown = [decoy for decoy in audit["decoys"] if decoy["configured"] is not None and _is_shown(decoy, audit)]
    for decoy, colour in zip(shown, (BEFORE, SERIES[2]), strict=False):
        p = decoy["configured"]
        at = float(np.interp(p, _numbers(value["p"]), _numbers(value["total"])))
        name = "certainly wrong" if decoy["num_classes"] is None else f"one of {decoy['num_classes'] - 1} others"
        axes.plot([0, p], [at, at], color=colour, linestyle=_DASHED, linewidth=1.2)
        axes.plot([p], [at], "o", color=colour, markersize=5, label=f"decoy, {name}: pays below p = {p:.3f}")
    axes.set(xlim=(0, 1), xlabel="success probability p", ylabel="expected reward", title="What honesty earns")
    axes.margins(y=0.12)
    axes.legend(loc="upper left")


def _is_shown(decoy: Mapping[str, Any], audit: AuditData) -> bool:
    return bool(decoy["confidence"] == 0.0 or decoy["num_classes"] == audit["num_classes"])


def _draw_effect(axes: Axes, effect: Mapping[str, Any], group_size: int) -> Any:
    """Draw the end policies as columns of mass, their means as a line; return the image for the colour bar."""
    probability, confidence = _numbers(effect["p"]), _numbers(effect["confidences"])
    columns = _edges(probability), _edges(confidence)
    image = axes.pcolormesh(*columns, _numbers(effect["policy"]).T, cmap=_MASS, vmin=0, vmax=1)
    axes.plot([0, 1], [0, 1], color=INK, linestyle=_DASHED, linewidth=1, label="honest")
    axes.plot(probability, _numbers(effect["mean"]), "o-", color=BEFORE, markersize=4, linewidth=1.4, label="mean")
    title = "Raw" if effect["advantage"] == "raw" else f"Normalised, {effect['correctness']} correctness"
    axes.set_title(f"{title}: {effect['verdict']}")
    axes.set(xlim=columns[0][[0, -1]], ylim=columns[1][[0, -1]])
    axes.grid(visible=False)
    note = f"G = {group_size}, bias {effect['bias']:.2f}"
    axes.text(0.97, 0.04, note, transform=axes.transAxes, ha="right", color=MUTED)
    axes.legend(loc="upper left")
    return image


def _edges(middles: Array) -> Array:
    between = (middles[1:] + middles[:-1]) / 2
    edges: Array = np.concatenate([[2 * middles[0] - between[0]], between, [2 * middles[-1] - between[-1]]])
    return edges


def _numbers(values: Sequence[Any]) -> Array:
    """Plain data has None where a number is not finite."""
    return np.array(values, dtype=float)
