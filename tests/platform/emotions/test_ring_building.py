import itertools
import math

import pytest

from emocal_rl.platform.emotions.ring import RING_POSITIONS
from emocal_rl.platform.emotions.ring_building import BUILT_TAXONOMIES, build_ring
from emocal_rl.platform.emotions.shortest_loop import Point
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES, Taxonomy
from emocal_rl.platform.errors import DataError

SQUARE = {"a": (0.0, 0.0, 0.0), "b": (3.0, 0.0, 0.0), "c": (3.0, 1.0, 0.0), "d": (0.0, 1.0, 0.0)}


def polygon(positions: dict[str, float]) -> dict[str, Point]:
    """Points on a circle whose chords are in the proportions of the given arcs: the shortest loop is the polygon."""
    labels = sorted(positions, key=positions.__getitem__)
    chords = [b - a for a, b in itertools.pairwise([*sorted(positions.values()), 1.0])]
    low, high = max(chords) / 2, 1.0
    for _ in range(100):  # the radius at which the chords close the circle
        radius = (low + high) / 2
        low, high = (
            (radius, high) if sum(2 * math.asin(c / 2 / radius) for c in chords) > 2 * math.pi else (low, radius)
        )
    angles = itertools.accumulate((2 * math.asin(chord / 2 / high) for chord in chords[:-1]), initial=0.0)
    points = [(high * math.cos(angle), high * math.sin(angle), 0.25) for angle in angles]
    return dict(zip(labels, points, strict=True))


@pytest.mark.parametrize("name", BUILT_TAXONOMIES)
def test_points_whose_loop_is_the_shipped_ring_give_the_shipped_arcs(name: str) -> None:
    shipped = dict(RING_POSITIONS[name])
    assert build_ring(TAXONOMIES[name], polygon(shipped)) == shipped


def test_arcs_are_fractions_of_the_perimeter_by_hand() -> None:
    taxonomy = Taxonomy("invented", ("a", "b", "c", "d"))
    assert build_ring(taxonomy, SQUARE) == {"a": 0.0, "b": 0.375, "c": 0.5, "d": 0.875}  # 3, 1, 3, 1 of 8


def test_the_scale_of_the_lexicon_does_not_matter() -> None:
    taxonomy = Taxonomy("invented", ("a", "b", "c", "d"))
    halved = {label: (0.5 + v / 2, 0.5 + a / 2, 0.5 + d / 2) for label, (v, a, d) in SQUARE.items()}
    assert build_ring(taxonomy, halved) == build_ring(taxonomy, SQUARE)


def test_the_direction_follows_the_labels_and_siblings_stay_together() -> None:
    turned = Taxonomy("invented", ("a", "d", "c", "b"))
    assert build_ring(turned, SQUARE) == {"a": 0.0, "d": 0.125, "c": 0.5, "b": 0.625}
    crossed = Taxonomy("invented", ("a", "b", "c", "d"), parents={"a": "p", "c": "p", "b": "q", "d": "q"})
    ring = sorted(build_ring(crossed, SQUARE).items(), key=lambda item: item[1])
    assert [label for label, _ in ring] in (["a", "b", "d", "c"], ["a", "c", "b", "d"])


def test_words_that_are_all_alike_make_no_ring() -> None:
    with pytest.raises(DataError, match="all its words have the same values"):
        build_ring(Taxonomy("invented", ("a", "b")), {"a": (0.5, 0.5, 0.5), "b": (0.5, 0.5, 0.5)})
