import itertools
import math
import random

import pytest

from emocal_rl.platform.emotions.shortest_loop import Point, shortest_loop
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES


def invented_points(labels: list[str] | tuple[str, ...], seed: int) -> dict[str, Point]:
    draw = random.Random(seed)
    return {label: (draw.uniform(-1, 1), draw.uniform(-1, 1), draw.uniform(-1, 1)) for label in labels}


def length(points: dict[str, Point], loop: tuple[str, ...]) -> float:
    return sum(math.dist(points[a], points[b]) for a, b in itertools.pairwise([*loop, loop[0]]))


def num_runs(loop: tuple[str, ...], group: list[str]) -> int:
    """How many separate runs on the loop the group's labels make."""
    inside = [label in group for label in loop]
    return sum(here and not before for before, here in itertools.pairwise([inside[-1], *inside])) or 1


def by_brute_force(points: dict[str, Point], groups: list[list[str]]) -> float:
    first, *others = points
    loops = ((first, *rest) for rest in itertools.permutations(others))
    return min(length(points, loop) for loop in loops if all(num_runs(loop, group) == 1 for group in groups))


@pytest.mark.parametrize("seed", range(6))
def test_a_flat_loop_equals_brute_force(seed: int) -> None:
    points = invented_points("abcdefg", seed)
    loop = shortest_loop(points, [[label] for label in points])
    assert sorted(loop) == sorted(points)
    assert length(points, loop) == pytest.approx(by_brute_force(points, []), abs=1e-12)


@pytest.mark.parametrize("groups", ["a bcd ef gh", "abc def gh", "abcd efgh", "abcdefgh", "ab cd ef gh", "abcdefg h"])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_hierarchical_loop_equals_brute_force(groups: str, seed: int) -> None:
    points = invented_points(groups.replace(" ", ""), seed)
    blocks = [list(group) for group in groups.split()]
    loop = shortest_loop(points, blocks)
    assert sorted(loop) == sorted(points)
    assert [num_runs(loop, block) for block in blocks] == [1] * len(blocks)
    assert length(points, loop) == pytest.approx(by_brute_force(points, blocks), abs=1e-12)


def test_siblings_cost_length_where_they_lie_apart() -> None:
    points = {"a": (0.0, 0.0, 0.0), "b": (1.0, 0.0, 0.0), "c": (1.0, 1.0, 0.0), "d": (0.0, 1.0, 0.0)}
    assert length(points, shortest_loop(points, ["a", "b", "c", "d"])) == 4.0
    apart = shortest_loop(points, [["a", "c"], ["b", "d"]])
    assert length(points, apart) == pytest.approx(2 + 2 * math.sqrt(2), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_siblings_are_adjacent_in_a_25_class_hierarchy_and_no_swap_is_shorter(seed: int) -> None:
    taxonomy = TAXONOMIES["webemo25"]
    points = invented_points(taxonomy.labels, seed)
    groups = [
        [c for c in taxonomy.labels if taxonomy.parents[c] == p] for p in dict.fromkeys(taxonomy.parents.values())
    ]
    assert sorted(map(len, groups)) == [1, 1, 2, 3, 5, 6, 7]
    loop = shortest_loop(points, groups)
    assert sorted(loop) == sorted(taxonomy.labels)
    assert [num_runs(loop, group) for group in groups] == [1] * 7
    shortest = length(points, loop)
    for i, j in itertools.combinations(range(25), 2):  # every reversal of a stretch that keeps siblings together
        other = loop[:i] + loop[i : j + 1][::-1] + loop[j + 1 :]
        if all(num_runs(other, group) == 1 for group in groups):
            assert length(points, other) >= shortest - 1e-12


def test_two_labels_and_one() -> None:
    points = invented_points("ab", 0)
    assert sorted(shortest_loop(points, ["a", "b"])) == ["a", "b"]
    assert shortest_loop({"a": (0.0, 0.0, 0.0)}, ["a"]) == ("a",)
