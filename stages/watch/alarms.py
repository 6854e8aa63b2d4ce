"""The alarms' rules: pure functions of the journal's training rows, oldest first; the last row is the step at hand.

A rule returns what is wrong, with the figures behind it, or None.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from emocal_rl.platform.config.alarms import AlarmName, AlarmsConfig

History = Sequence[Mapping[str, Any]]
Rule = Callable[[History, AlarmsConfig], str | None]


def confidence_collapse(history: History, config: AlarmsConfig) -> str | None:
    """Nearly the same confidence is stated whatever the image: the entropy is low, and was at least twice as high."""
    bits = _moving_mean(history, "rollout/confidence_entropy", config.short_window)
    if not bits.size or bits[-1] >= min(config.collapse_entropy, bits.max() / 2):
        return None
    return (
        f"stated confidences have {bits[-1]:.2f} bits of entropy over the last {config.short_window} steps "
        f"(limit {config.collapse_entropy:g}), {bits.max():.2f} at most before"
    )


def overconfidence_drift(history: History, config: AlarmsConfig) -> str | None:
    """Confidence runs ahead of accuracy, further than it once did."""
    confidence = _moving_mean(history, "rollout/mean_confidence", config.window)
    accuracy = _moving_mean(history, "rollout/accuracy", config.window)
    if not confidence.size or not accuracy.size:
        return None
    length = min(confidence.size, accuracy.size)  # a step without any confidence is in one of them only
    gap = confidence[-length:] - accuracy[-length:]
    if gap[-1] <= config.overconfidence_gap or gap[-1] - gap.min() <= config.overconfidence_gap:
        return None
    return (
        f"mean confidence {confidence[-1]:.3f} against accuracy {accuracy[-1]:.3f} over the last {config.window} "
        f"steps: {gap[-1]:+.3f} (limit {config.overconfidence_gap:g}), {gap.min():+.3f} at best before"
    )


def decoy(history: History, config: AlarmsConfig) -> str | None:
    """Right answers give way to wrong ones stated with almost no confidence, which a log score pays."""
    share = _moving_mean(history, "rollout/decoy_share", config.window)
    retained = _moving_mean(history, "rollout/retained_accuracy", config.window)
    if not share.size or share[-1] - share.min() <= config.decoy_rise:
        return None
    if retained.max() - retained[-1] <= config.decoy_rise / 2:
        return None
    return (
        f"of the answers to prompts the cold start got right, {share[-1]:.1%} are wrong with a confidence below 0.1 "
        f"over the last {config.window} steps, {share.min():.1%} at best before; {retained[-1]:.1%} are still right, "
        f"{retained.max():.1%} at best"
    )


def format_exit(history: History, config: AlarmsConfig) -> str | None:
    """The policy leaves the format, where a wrong answer would cost more."""
    share = _moving_mean(history, "rollout/format_exit_share", config.window)
    if not share.size or share[-1] - share.min() <= config.format_exit_rise:
        return None
    return (
        f"{share[-1]:.1%} of the responses are malformed or state no valid confidence over the last {config.window} "
        f"steps, {share.min():.1%} at best before"
    )


def kl_blow_up(history: History, config: AlarmsConfig) -> str | None:
    """The policy has left the reference."""
    kl = _moving_mean(history, "loss/kl", config.short_window)
    if not kl.size or kl[-1] <= config.kl_limit:
        return None
    return (
        f"KL to the reference {kl[-1]:.3g} nats a token over the last {config.short_window} steps "
        f"(limit {config.kl_limit:g})"
    )


def degenerate_repetition(history: History, config: AlarmsConfig) -> str | None:
    """Responses loop."""
    share = _moving_mean(history, "rollout/repetition_share", config.short_window)
    if not share.size or share[-1] <= config.repetition_limit:
        return None
    return (
        f"{share[-1]:.1%} of the responses end in a loop over the last {config.short_window} steps "
        f"(limit {config.repetition_limit:.1%})"
    )


RULES: dict[AlarmName, Rule] = {
    "confidence-collapse": confidence_collapse,
    "overconfidence-drift": overconfidence_drift,
    "decoy": decoy,
    "format-exit": format_exit,
    "kl-blow-up": kl_blow_up,
    "degenerate-repetition": degenerate_repetition,
}


def sounding(history: History, config: AlarmsConfig) -> dict[AlarmName, str]:
    """Every alarm whose rule holds at the newest row, with what it found."""
    found = {name: rule(history, config) for name, rule in RULES.items()}
    return {name: finding for name, finding in found.items() if finding is not None}


def _moving_mean(history: History, name: str, window: int) -> npt.NDArray[np.float64]:
    """Mean over every `window` successive steps in which the metric is defined: (steps - window + 1,), or empty."""
    values = [float(value) for row in history if (value := row.get(name)) is not None and not np.isnan(value)]
    if len(values) < window:
        return np.zeros(0)
    means: npt.NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(values, window).mean(axis=1)
    return means
