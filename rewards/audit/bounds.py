import math
from dataclasses import dataclass

import numpy as np

from emocal_rl.rewards.audit.landscape import CONFIDENCES, Array, Landscape


@dataclass(frozen=True)
class Bounds:
    """How far the totals of well-formed answers reach.

    `lowest`, `highest`: over the confidences of two decimals, where not masked. `unbounded`: the ends at which they
    diverge (`wrong, c -> 1`, ...). `masked`: answers whose total is not finite; they leave the update, so what they did
    is never punished. `declared`: the composition's own worst total, -inf where it declares none.
    """

    lowest: float
    highest: float
    unbounded: tuple[str, ...]
    masked: tuple[str, ...]
    declared: float


def audit_bounds(landscape: Landscape) -> Bounds:
    """Look at all confidences of two decimals, and at 1e-3, 1e-6, 1e-9 and 1e-12 from either end."""
    sides = {"right": landscape.rights, "wrong": landscape.wrongs}
    totals = {name: total(CONFIDENCES) for name, total in sides.items()}
    masked = [
        f"{name}, c = {CONFIDENCES[index]:.2f}"
        for name, values in totals.items()
        for index in np.flatnonzero(np.isnan(values))
    ]
    unbounded = []
    for name, total in sides.items():
        for end in (0, 1):
            if _diverges(total([abs(end - 10.0**-digits) for digits in (3, 6, 9, 12)])):
                unbounded.append(f"{name}, c → {end}")
    everything = np.concatenate(list(totals.values()))
    worst = landscape.composition.worst_total
    return Bounds(
        float(np.nanmin(everything)), float(np.nanmax(everything)), tuple(unbounded), tuple(masked), declared=worst
    )


def _diverges(values: Array) -> bool:
    """Whether three more decimals still move the total about as much as three fewer did; a bounded rule settles."""
    first, *_, last = np.abs(np.diff(values))
    return math.isnan(last) or bool(last > 1e-6 and last > 0.1 * first)
