import numpy as np
import pytest
import torch

from emocal_rl.actors.learner.examples import PolicyExample
from emocal_rl.actors.learner.policy_update import MAXIMA, SUMS, policy_micro_batch_loss
from emocal_rl.actors.learner.totals import Totals
from emocal_rl.actors.sequence_batch import EncodedPrompt, EncodedSequence
from emocal_rl.platform.config.reward import LossConfig
from emocal_rl.platform.contracts import LossDenominators

LENGTHS, ADVANTAGES, MAX_TOKENS = (3, 1, 5), (0.7, -1.2, 0.4), 8
RNG = np.random.default_rng(1)
NEW, OLD, REFERENCE = ([RNG.normal(-1, 0.3, length) for length in LENGTHS] for _ in range(3))
AGGREGATIONS = ["seq-mean-token-mean", "token-mean", "seq-mean-token-sum-norm"]
KL = {"k1": lambda r: -r, "k2": lambda r: r**2 / 2, "k3": lambda r: np.exp(r) - r - 1}


def example(index: int) -> PolicyExample:
    prompt = EncodedPrompt(torch.zeros(2).long(), torch.zeros(3, 2).long(), ())
    old, reference = torch.tensor(OLD[index]), torch.tensor(REFERENCE[index])
    return PolicyExample(
        EncodedSequence(prompt, torch.zeros(LENGTHS[index]).long()),
        torch.full((LENGTHS[index],), ADVANTAGES[index]),
        old,
        old,
        reference,
    )


def aggregate(per_response: list[np.ndarray], aggregation: str) -> float:
    if aggregation == "token-mean":
        return float(np.concatenate(per_response).mean())
    if aggregation == "seq-mean-token-sum-norm":
        return float(np.mean([tokens.sum() / MAX_TOKENS for tokens in per_response]))
    return float(np.mean([tokens.mean() for tokens in per_response]))


def reference_loss(config: LossConfig) -> float:
    """Paper equation 5, one response at a time."""
    per_response = []
    for new, old, reference, advantage in zip(NEW, OLD, REFERENCE, ADVANTAGES, strict=True):
        ratio = np.exp(new - old)
        bounded = np.clip(ratio, 1 - config.clip_ratio, 1 + (config.clip_ratio_high or config.clip_ratio))
        tokens = -np.minimum(ratio * advantage, bounded * advantage)
        if config.kl_placement == "loss":
            tokens = tokens + config.kl_coefficient * KL[config.kl_estimator](reference - new)
        per_response.append(tokens)
    return aggregate(per_response, config.aggregation)


def losses(config: LossConfig, micro_batches: list[list[int]]) -> tuple[float, dict[str, float]]:
    """Loss of a mini-batch, summed over its micro-batches, and the sums that are reported."""
    totals, denominators = Totals(SUMS, MAXIMA, torch.device("cpu")), LossDenominators(len(LENGTHS), sum(LENGTHS))
    loss = 0.0
    for members in micro_batches:
        logprobs = torch.tensor(np.concatenate([NEW[index] for index in members]))
        examples = [example(index) for index in members]
        loss += float(policy_micro_batch_loss(logprobs, examples, denominators, config, MAX_TOKENS, totals))
    return loss, {name: float(value) for name, value in totals._sums.items()}


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("estimator", ["k1", "k2", "k3"])
@pytest.mark.parametrize("placement", ["loss", "reward"])
@pytest.mark.parametrize("micro_batches", [[[0, 1, 2]], [[1], [2, 0]]])
def test_the_loss_equals_the_formula_however_it_is_split(
    aggregation: str, estimator: str, placement: str, micro_batches: list[list[int]]
) -> None:
    config = LossConfig.model_validate(
        {
            "aggregation": aggregation,
            "kl_estimator": estimator,
            "kl_placement": placement,
            "kl_coefficient": 0.3,
            "clip_ratio_high": 0.28,
        }
    )
    loss, sums = losses(config, micro_batches)
    assert loss == pytest.approx(reference_loss(config), rel=1e-6)
    assert sums["loss"] == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_what_is_reported_are_means_whatever_the_loss_is_divided_by(aggregation: str) -> None:
    _, sums = losses(LossConfig.model_validate({"aggregation": aggregation, "kl_placement": "reward"}), [[0], [1, 2]])
    means = "token-mean" if aggregation == "seq-mean-token-sum-norm" else aggregation
    ratios = [np.exp(new - old) for new, old in zip(NEW, OLD, strict=True)]
    kl = [KL["k3"](reference - new) for new, reference in zip(NEW, REFERENCE, strict=True)]
    assert sums["ratio_mean"] == pytest.approx(aggregate(ratios, means), rel=1e-6)
    assert sums["kl"] == pytest.approx(aggregate(kl, means), rel=1e-6)
