from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from emocal_rl.actors.parity import check_parity, judge
from emocal_rl.platform.errors import ParityError


def test_in_float32_one_token_off_is_one_too_many() -> None:
    differences = np.full(1000, 1e-6)
    assert judge(differences, tolerance=1e-4, in_16_bit=False) == "largest 1.0e-06"
    differences[7] = 2e-4
    with pytest.raises(ParityError, match=r"largest 2.0e-04; weight_transfer.parity_tolerance = 0.0001 allows 0.0001"):
        judge(differences, tolerance=1e-4, in_16_bit=False)


def bfloat16_noise(num_tokens: int = 4096) -> Any:
    """Log-probs from bfloat16 logits against those from hidden states half a unit in the last place away."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 5, num_tokens)
    rounded = logits * (1 + rng.uniform(-1, 1, num_tokens) * 2.0**-9)
    return np.abs(rounded - logits) + rng.exponential(0.01, num_tokens)


def test_in_16_bit_an_unlucky_token_does_not_end_a_run() -> None:
    differences = bfloat16_noise()
    differences[3] = 0.9
    said = judge(differences, tolerance=1e-4, in_16_bit=True)
    assert said == f"mean {differences.mean():.1e}, 99 % quantile {np.quantile(differences, 0.99):.1e}"
    with pytest.raises(ParityError):
        judge(differences, tolerance=1e-4, in_16_bit=False)


def test_in_16_bit_other_weights_are_told_apart() -> None:
    with pytest.raises(ParityError, match=r"mean 1.6e-01.*allows 0.12 and 0.4"):
        judge(np.full(100, 0.16), tolerance=1e-4, in_16_bit=True)
    few_but_far = np.where(np.arange(1000) < 15, 2.0, 0.0)  # as if two words of the vocabulary were exchanged
    with pytest.raises(ParityError, match=r"99 % quantile 2\.0e"):
        judge(few_but_far, tolerance=1e-4, in_16_bit=True)
    assert judge(few_but_far, tolerance=1e-3, in_16_bit=True).startswith("mean 3.0e-02")


@pytest.mark.parametrize("in_16_bit", [False, True])
def test_what_is_not_a_number_is_no_parity(in_16_bit: bool) -> None:
    with pytest.raises(ParityError, match="nan"):
        judge(np.array([0.0, np.nan]), tolerance=1e-4, in_16_bit=in_16_bit)


def test_the_engines_log_probs_are_held_against_the_learners(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "get", lambda refs: refs)
    responses = [SimpleNamespace(logprobs=np.array(values, np.float32)) for values in ([-1.0, -2.0], [-3.0])]
    rollouts: Any = SimpleNamespace(stream=lambda _: [(0, SimpleNamespace(responses=responses))])
    scores = [[np.array([-1.0, -2.25], np.float32), np.array([-3.0], np.float32)]]
    learner: Any = SimpleNamespace(logprobs=lambda _: scores, weight_version=4)
    assert check_parity(rollouts, learner, [], tolerance=0.25, in_16_bit=False) == "largest 2.5e-01"
    with pytest.raises(ParityError, match=r"after syncing weight version 4, .* largest 2.5e-01"):
        check_parity(rollouts, learner, [], tolerance=0.2, in_16_bit=False)
