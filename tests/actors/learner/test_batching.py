import pytest
from hypothesis import given
from hypothesis import strategies as st

from emocal_rl.actors.learner.batching import Shard, pack_micro_batches, shard_by_tokens

lengths = st.lists(st.integers(1, 300), min_size=1, max_size=60)


@given(lengths, st.integers(1, 8))
def test_every_item_goes_to_exactly_one_rank(num_tokens: list[int], num_ranks: int) -> None:
    shards = shard_by_tokens(num_tokens, num_ranks)
    assert len(shards) == num_ranks
    assert sorted(index for shard in shards if not shard.idle for index in shard.indices) == list(
        range(len(num_tokens))
    )
    assert all(shard.indices for shard in shards)


@given(lengths, st.integers(1, 8))
def test_no_rank_carries_more_than_the_mean_and_one_item(num_tokens: list[int], num_ranks: int) -> None:
    loads = [
        sum(num_tokens[i] for i in shard.indices) for shard in shard_by_tokens(num_tokens, num_ranks) if not shard.idle
    ]
    assert max(loads) <= sum(num_tokens) / num_ranks + max(num_tokens)


@given(lengths, st.integers(64, 2048))
def test_every_sequence_is_packed_once_within_the_budget(num_tokens: list[int], budget: int) -> None:
    micro_batches = pack_micro_batches(num_tokens, budget)
    assert sorted(index for batch in micro_batches for index in batch) == list(range(len(num_tokens)))
    for batch in micro_batches:
        padded = max(num_tokens[index] for index in batch) * len(batch)
        assert padded <= budget or len(batch) == 1


@given(lengths, st.integers(1, 8))
def test_the_ranks_together_hold_the_same_mini_batch_whatever_their_number(
    num_tokens: list[int], num_ranks: int
) -> None:
    def items(shards: list[Shard]) -> list[int]:
        return sorted(index for shard in shards if not shard.idle for index in shard.indices)

    assert items(shard_by_tokens(num_tokens, num_ranks)) == items(shard_by_tokens(num_tokens, 1))


def test_exact_sharding_and_packing() -> None:
    assert shard_by_tokens([10, 30, 20, 20], 2) == [Shard((0, 1)), Shard((2, 3))]
    assert shard_by_tokens([10, 5], 3) == [Shard((0,)), Shard((1,)), Shard((1,), idle=True)]
    assert pack_micro_batches([4, 9, 4, 5, 4], 10) == [(1,), (3, 0), (2, 4)]
    assert pack_micro_batches([50, 3, 3], 10) == [(0,), (1, 2)]
    assert pack_micro_batches([], 10) == []


def test_an_empty_mini_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        shard_by_tokens([], 2)
