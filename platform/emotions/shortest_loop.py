import math
from collections.abc import Iterable, Mapping, Sequence

Point = tuple[float, float, float]
"""(valence, arousal, dominance)."""
_Paths = dict[tuple[str, str], tuple[float, tuple[str, ...]]]
"""(first label, last label) to (length, order) of the shortest path with those ends."""


def shortest_loop(points: Mapping[str, Point], groups: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Return the labels in the order of the shortest closed loop on which the labels of each group are adjacent.

    Exact: dynamic programming over the subsets of each group, then over the subsets of groups, for every pair of ends
    (Held and Karp 1962). Groups of one label each make it the plain travelling salesman. Time and memory double with
    every further group, and with every further label of the largest one: seconds at 13.
    """
    distance = {(a, b): math.dist(points[a], points[b]) for a in points for b in points}
    blocks = [_shortest_paths([{(label, label): (0.0, (label,))} for label in group], distance) for group in groups]
    # A loop may be opened anywhere: in the block with the fewest pairs of ends.
    blocks.sort(key=len)
    opened = _shortest_paths(blocks, distance, starts=[0])
    return min((length + distance[last, first], order) for (first, last), (length, order) in opened.items())[1]


def _shortest_paths(
    blocks: Sequence[_Paths], distance: Mapping[tuple[str, str], float], starts: Sequence[int] | None = None
) -> _Paths:
    """Return the shortest paths through all blocks, each walked as a whole, from one of the blocks `starts`."""
    paths = {
        (1 << index, first, last): path
        for index in (range(len(blocks)) if starts is None else starts)
        for (first, last), path in blocks[index].items()
    }
    for _ in range(len(blocks) - 1):
        longer: dict[tuple[int, str, str], tuple[float, tuple[str, ...]]] = {}
        for (visited, first, last), (length, order) in paths.items():
            for index, block in enumerate(blocks):
                if visited >> index & 1:
                    continue
                for (entry, end), (inner_length, inner_order) in block.items():
                    key, total = (visited | 1 << index, first, end), length + distance[last, entry] + inner_length
                    if key not in longer or total < longer[key][0]:
                        longer[key] = total, order + inner_order
        paths = longer
    return {(first, last): path for (_, first, last), path in paths.items()}
