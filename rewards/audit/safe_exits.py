"""Safe exits: does giving up the format pay more than answering?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emocal_rl.rewards.audit.honest_value import HonestValue
from emocal_rl.rewards.audit.landscape import Array, Landscape
from emocal_rl.rewards.audit.sign_change import sign_change

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
    return [_safe_exit(name, *totals, landscape, value) for name, totals in _exit_totals(landscape).items()]


def _safe_exit(name: str, right: float, wrong: float, landscape: Landscape, value: HonestValue) -> SafeExit:
    grid = value.probabilities

    def expected(p: float | Array) -> Any:
        return p * right + (1 - p) * wrong

    margins = value.values - expected(grid)
    return SafeExit(
        name,
        right,
        wrong,
        beats_wrong=_intervals(grid, wrong - landscape.wrongs(grid), lambda c: wrong - landscape.wrong(c)),
        beats_right=_intervals(grid, right - landscape.rights(grid), lambda c: right - landscape.right(c)),
        beats_honesty=_intervals(grid, -margins, lambda p: float(expected(p) - landscape.honest(p))),
        margin=float(np.nanmin(margins)) if np.isfinite(margins).any() else float("nan"),
    )


def _exit_totals(landscape: Landscape) -> dict[str, tuple[float, float]]:
    """Name -> total when the answer is right, and when it is wrong: the mean over the wrong labels."""
    right, *wrong = landscape.sample.candidates
    cut = landscape.render(right, "0.5").partition("</think>")[0]

    def mean(answers: Sequence[str], confidence: str | None) -> float:
        return float(np.mean(landscape.totals([(landscape.render(answer, confidence), "stop") for answer in answers])))

    (no_tags, cut_off) = landscape.totals([("I cannot tell.", "stop"), (cut, "length")])
    return {
        "no tags": (no_tags, no_tags),
        "no confidence": (mean([right], None), mean(wrong, None)),
        "unreadable confidence": (mean([right], "high"), mean(wrong, "high")),
        "cut off while thinking": (cut_off, cut_off),
    }


def _intervals(grid: Array, scanned: Array, advantage: Callable[[float], float]) -> tuple[Interval, ...]:
    """Return where the scanned advantage is positive, each edge refined between its neighbours on the grid."""
    inside = np.concatenate([[False], scanned > 1e-9, [False]])
    edges = np.flatnonzero(np.diff(inside.astype(int)))

    def edge(index: int) -> float:
        if index in (0, len(grid)):
            return float(index > 0)
        return sign_change(advantage, float(grid[index - 1]), float(grid[index]))

    return tuple((edge(int(first)), edge(int(last))) for first, last in zip(edges[::2], edges[1::2], strict=True))
