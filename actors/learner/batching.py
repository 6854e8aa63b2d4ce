"""How a mini-batch is cut: whole groups over ranks, then sequences into micro-batches. Deterministic, no torch."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """One rank's part of a mini-batch. `indices`: which items, ascending.

    An `idle` rank had none left: it holds a borrowed item to take part in collectives with, at zero weight.
    """

    indices: tuple[int, ...]
    idle: bool = False


def shard_by_tokens(num_tokens: Sequence[int], num_ranks: int) -> list[Shard]:
    """Distribute items over ranks so that their token sums are balanced: the longest left goes to the lightest rank.

    Args:
        num_tokens: tokens of each item (a group's prompt and responses, or a demonstration).
        num_ranks: ranks to serve; each gets a non-empty shard.
    """
    if not num_tokens:
        raise ValueError("a mini-batch needs at least one item")
    loads = [(0, rank) for rank in range(num_ranks)]
    taken: list[list[int]] = [[] for _ in range(num_ranks)]
    for index in sorted(range(len(num_tokens)), key=lambda index: (-num_tokens[index], index)):
        load, rank = heapq.heappop(loads)
        taken[rank].append(index)
        heapq.heappush(loads, (load + num_tokens[index], rank))
    shortest = min(range(len(num_tokens)), key=lambda index: (num_tokens[index], index))
    return [Shard(tuple(sorted(indices))) if indices else Shard((shortest,), idle=True) for indices in taken]


def pack_micro_batches(num_tokens: Sequence[int], budget: int) -> list[tuple[int, ...]]:
    """Group sequences of similar length into micro-batches of at most `budget` padded tokens.

    A micro-batch costs its longest sequence times its size, as padding is computed too. A sequence longer than the
    budget gets a micro-batch of its own: dropping it is not for this place to decide. Sequences of equal length keep
    their order, so that responses to one prompt stay together and share its image features.

    Args:
        num_tokens: prompt and response tokens of each sequence.
        budget: padded tokens of one micro-batch.

    Returns:
        Indices into `num_tokens`, each exactly once, longest first: what runs out of memory does so at once.
    """
    micro_batches: list[tuple[int, ...]] = []
    current: list[int] = []
    for index in sorted(range(len(num_tokens)), key=lambda index: (-num_tokens[index], index)):
        if current and (len(current) + 1) * num_tokens[current[0]] > budget:
            micro_batches.append(tuple(current))
            current = []
        current.append(index)
    return [*micro_batches, tuple(current)] if current else micro_batches
