import itertools
import math
from collections.abc import Mapping

from emocal_rl.platform.emotions.ring import RING_POSITIONS, ring_distance
from emocal_rl.platform.emotions.shortest_loop import Point, shortest_loop
from emocal_rl.platform.emotions.taxonomy import Taxonomy
from emocal_rl.platform.errors import DataError

BUILT_TAXONOMIES = ("mikels8", "webemo7", "webemo25")
"""Taxonomies with a ring of their own; UnbiasedEmo takes WebEmo-7's, two classes need none."""


def build_ring(taxonomy: Taxonomy, points: Mapping[str, Point]) -> dict[str, float]:
    """Return the arc position of each label on the shortest closed loop, as a fraction of its perimeter (4 decimals).

    Siblings of a taxonomy with parents are adjacent. A loop has neither beginning nor direction: this one starts where
    the shipped ring does and runs so that the shipped ring's second label comes before its last.

    Args:
        taxonomy: what the labels are and which are siblings.
        points: each label's (valence, arousal, dominance), on any scale.

    Raises:
        DataError: all labels have the same point.
    """
    siblings: dict[str, list[str]] = {}
    for label in taxonomy.labels:
        siblings.setdefault(taxonomy.parents.get(label, label), []).append(label)
    loop = _oriented(shortest_loop(points, siblings.values()), taxonomy)
    steps = [math.dist(points[a], points[b]) for a, b in itertools.pairwise([*loop, loop[0]])]
    perimeter = sum(steps)
    if perimeter == 0.0:
        raise DataError(taxonomy.name, rule="all its words have the same values", fix="Use a published lexicon.")
    arcs = itertools.accumulate(steps[:-1], initial=0.0)
    return {label: round(arc / perimeter, 4) % 1.0 for label, arc in zip(loop, arcs, strict=True)}


def _oriented(loop: tuple[str, ...], taxonomy: Taxonomy) -> tuple[str, ...]:
    shipped = RING_POSITIONS.get(taxonomy.name, {})
    order = sorted(taxonomy.labels, key=lambda label: shipped.get(label, 0.0))
    start = loop.index(order[0])
    onward = loop[start:] + loop[:start]
    backward = (onward[0], *reversed(onward[1:]))
    return onward if onward.index(order[1]) <= onward.index(order[-1]) else backward


def difference_from_shipped(taxonomy: Taxonomy, positions: Mapping[str, float]) -> float:
    """Return the largest difference of any two labels' distance from what the shipped ring says."""
    rings = {taxonomy.name: positions}
    return max(
        abs(ring_distance(taxonomy, a, b, rings) - ring_distance(taxonomy, a, b))
        for a, b in itertools.combinations(taxonomy.labels, 2)
    )
