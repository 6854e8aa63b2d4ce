"""Safe exits: does giving up the format pay more than answering?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emocal_rl.rewards.audit.honest_value import HonestValue
from emocal_rl.rewards.audit.landscape import Array, Landscape
from emocal_rl.rewards.audit.sign_change import sign_change
from emocal_rl.rewards.group_scoring import Text

Interval = tuple[float, float]


@dataclass(frozen=True)
class SafeExit:
    """One way out of the format: its total after a right and a wrong answer, and what it beats.

    `beats_wrong`, `beats_right`: confidences at which it pays more than the answer at hand. `beats_honesty`: success
    probabilities at which it pays more, in expectation, than the honest answer; `margin`: the least that honesty is
    ahead, negative where it is not. An exit that is masked, so that it is never punished, has NaN totals.
    """

    name: str
    right: float
    wrong: float
    beats_wrong: tuple[Interval, ...]
    beats_right: tuple[Interval, ...]
    beats_honesty: tuple[Interval, ...]
    margin: float


def audit_safe_exits(landscape: Landscape, value: HonestValue) -> list[SafeExit]:
    """Score a response without any tags, without a confidence, with an unreadable one, and one that was cut off."""
    grid = value.probabilities
    wrongs, rights = landscape.wrongs(grid), landscape.rights(grid)
    exits = []
    for name, (right, wrong) in _exit_totals(landscape).items():
        margins = value.values - (grid * right + (1 - grid) * wrong)
        exits.append(
            SafeExit(
                name,
                right,
                wrong,
                beats_wrong=_intervals(grid, wrong - wrongs, lambda c, total=wrong: total - landscape.wrong(c)),
                beats_right=_intervals(grid, right - rights, lambda c, total=right: total - landscape.right(c)),
                beats_honesty=_intervals(
                    grid,
                    -margins,
                    lambda p, totals=(right, wrong): p * totals[0] + (1 - p) * totals[1] - landscape.honest(p),
                ),
                margin=float(np.nanmin(margins)) if np.isfinite(margins).any() else float("nan"),
            )
        )
    return exits


def _exit_totals(landscape: Landscape) -> dict[str, tuple[float, float]]:
    """Name -> total when the answer is right, and when it is wrong."""
    right, wrong = landscape.sample.label, landscape.wrong_answers[0]
    cut = landscape.render(right, "0.5").partition("</think>")[0]
    texts: dict[str, tuple[Text, Text]] = {
        "no tags": (("I cannot tell.", "stop"),) * 2,
        "no confidence": ((landscape.render(right, None), "stop"), (landscape.render(wrong, None), "stop")),
        "unreadable confidence": ((landscape.render(right, "high"), "stop"), (landscape.render(wrong, "high"), "stop")),
        "cut off while thinking": ((cut, "length"),) * 2,
    }
    totals = {name: landscape.totals(pair) for name, pair in texts.items()}
    return {name: (first, second) for name, (first, second) in totals.items()}


def _intervals(grid: Array, scanned: Array, advantage: Callable[[float], float]) -> tuple[Interval, ...]:
    """Return where the scanned advantage is positive, each edge refined between its neighbours on the grid."""
    inside = np.concatenate([[False], scanned > 1e-9, [False]])
    edges = np.flatnonzero(np.diff(inside.astype(int)))

    def edge(index: int) -> float:
        if index in (0, len(grid)):
            return float(index > 0)
        return sign_change(advantage, float(grid[index - 1]), float(grid[index]))

    return tuple((edge(int(first)), edge(int(last))) for first, last in zip(edges[::2], edges[1::2], strict=True))
