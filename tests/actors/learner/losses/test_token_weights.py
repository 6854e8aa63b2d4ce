import pytest
import torch

from emocal_rl.actors.learner.losses.token_weights import token_weights
from emocal_rl.platform.contracts import LossDenominators

LENGTHS = torch.tensor([1, 2, 4])
DENOMINATORS = LossDenominators(num_responses=3, num_tokens=7)
MAX_TOKENS = 5


@pytest.mark.parametrize(
    ("aggregation", "weights"),
    [
        ("seq-mean-token-mean", [1 / 3, 1 / 6, 1 / 6, 1 / 12, 1 / 12, 1 / 12, 1 / 12]),
        ("token-mean", [1 / 7] * 7),
        ("seq-mean-token-sum-norm", [1 / 15] * 7),
    ],
)
def test_the_weight_of_every_token_by_value(aggregation: str, weights: list[float]) -> None:
    found = token_weights(LENGTHS, DENOMINATORS, aggregation, MAX_TOKENS)  # type: ignore[arg-type]
    assert found.tolist() == pytest.approx(weights)


@pytest.mark.parametrize(
    ("aggregation", "total"), [("seq-mean-token-mean", 1.0), ("token-mean", 1.0), ("seq-mean-token-sum-norm", 7 / 15)]
)
def test_the_shards_of_a_mini_batch_add_up(aggregation: str, total: float) -> None:
    shards = (LENGTHS[:1], LENGTHS[1:])
    parts = [token_weights(part, DENOMINATORS, aggregation, MAX_TOKENS).sum() for part in shards]  # type: ignore[arg-type]
    assert float(sum(parts)) == pytest.approx(total)
