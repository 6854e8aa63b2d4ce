import pytest
import torch

from emocal_rl.actors.learner.losses.token_weights import token_weights
from emocal_rl.platform.contracts import LossDenominators

LENGTHS = torch.tensor([1, 2, 4])


def test_sequence_mean_weighs_every_response_alike() -> None:
    weights = token_weights(LENGTHS, LossDenominators(num_responses=3, num_tokens=7), "seq-mean-token-mean")
    assert weights.tolist() == pytest.approx([1 / 3, 1 / 6, 1 / 6, 1 / 12, 1 / 12, 1 / 12, 1 / 12])


def test_token_mean_weighs_every_token_alike() -> None:
    weights = token_weights(LENGTHS, LossDenominators(num_responses=3, num_tokens=7), "token-mean")
    assert weights.tolist() == pytest.approx([1 / 7] * 7)


@pytest.mark.parametrize("aggregation", ["seq-mean-token-mean", "token-mean"])
def test_the_shards_of_a_mini_batch_add_up_to_one(aggregation: str) -> None:
    denominators = LossDenominators(num_responses=3, num_tokens=7)
    parts = [token_weights(part, denominators, aggregation).sum() for part in (LENGTHS[:1], LENGTHS[1:])]  # type: ignore[arg-type]
    assert float(sum(parts)) == pytest.approx(1.0)
