"""`eval run` at an endpoint of this process: spent, refused, failed, resumed."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import UserError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages.inference.job import prepare, run
from emocal_rl.stages.inference.output import Outcome

TEXT = "<answer>awe</answer><confidence>0.8</confidence>"
"""Right for s1 alone."""


@pytest.fixture
def ask(data: str, tmp_path: Path, configure: Callable[..., Config], endpoint: Any) -> Callable[..., Outcome]:
    """Have the endpoint answer the eight rows."""
    endpoint.script = lambda *_: endpoint.say(TEXT, usage=(100, 10))

    def run_job(seed: int = 0, **settings: Any) -> Outcome:
        shared = {"model": "big", "base_url": endpoint.url, "api_key_env": "EMOCAL_TEST_KEY", "concurrency": 4}
        config = configure(seed, **{f"endpoint__{name}": value for name, value in {**shared, **settings}.items()})
        return run(prepare(config, "vecbench", [data], str(tmp_path / "out")), SilentProgress())

    return run_job


def rows(outcome: Outcome) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(outcome.predictions[0]).read_text().splitlines()]


def asked_ids(endpoint: Any) -> list[str]:
    return sorted(sample_id for _, sample_id in endpoint.asked)


def test_answers_become_predictions_and_are_paid_once(endpoint: Any, ask: Any) -> None:
    outcome = ask(input_price=1000.0, output_price=10_000.0)
    assert [row["id"] for row in rows(outcome)] == asked_ids(endpoint) == [f"s{number}" for number in range(8)]
    assert {row["response"] for row in rows(outcome)} == {TEXT}
    assert {(row["prompt_tokens"], row["num_tokens"], row["confidence_ans"]) for row in rows(outcome)} == {
        (100, 10, None)
    }
    overall = outcome.scores[0]["overall"]
    assert (overall["accuracy"], overall["mean_confidence"]) == (0.125, pytest.approx(0.8))
    assert outcome.elicitation == {}
    assert outcome.cost == pytest.approx(8 * (0.1 + 0.1))
    again = ask(input_price=1000.0, output_price=10_000.0)
    assert (again.cost, len(endpoint.requests)) == (outcome.cost, 8)
    assert endpoint.requests[0]["model"] == "big"
    assert "seed" not in endpoint.requests[0]
    assert "logprobs" not in endpoint.requests[0]


def test_the_cap_stops_it_and_a_higher_one_continues(endpoint: Any, ask: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"max_requests = 3: is spent .*, 5 of 8 questions are open.*continues"):
        ask(max_requests=3)
    assert not (tmp_path / "out" / "predictions.jsonl").exists()
    assert len(endpoint.requests) == 3
    assert ask(max_requests=8).num_failures == 0
    assert asked_ids(endpoint) == [f"s{number}" for number in range(8)]


def test_refused_samples_stay_wrong_and_unanswered_ones_are_asked_again(endpoint: Any, ask: Any) -> None:
    def script(_: str, sample_id: str, __: int) -> Any:
        if sample_id == "s2":
            return endpoint.say("image not allowed", status=400)
        return endpoint.say("overloaded", status=503) if sample_id == "s5" else endpoint.say(TEXT)

    endpoint.script = script
    outcome = ask(max_retries=1)
    assert (outcome.num_failures, outcome.scores[0]["num_errors"]) == (2, 2)
    errors = {row["original_data"]["id"]: row["error"] for row in rows(outcome) if "error" in row}
    assert "refused: " in errors["s2"]
    assert "image not allowed" in errors["s2"]
    assert errors["s5"].startswith("no answer after 2 attempts")
    endpoint.script = lambda *_: endpoint.say(TEXT)
    endpoint.asked.clear()
    assert ask(max_retries=1).num_failures == 1
    assert asked_ids(endpoint) == ["s5"]


def test_an_endpoint_that_answers_nothing_ends_it(endpoint: Any, ask: Any) -> None:
    endpoint.script = lambda *_: endpoint.say("broken", status=500)
    with pytest.raises(UserError, match=r"evaluation.endpoint: 3 samples in a row were refused or got no answer"):
        ask(max_retries=0, max_failures=3)


def test_log_probs_give_ans_and_avg(endpoint: Any, ask: Any) -> None:
    pieces = ["<answer>", "a", "we", "</answer><confidence>0.8</confidence>"]
    logprobs = [0.0, -1.0, -2.0, 0.0]
    tokens = [
        {"token": piece, "bytes": list(piece.encode()), "logprob": value}
        for piece, value in zip(pieces, logprobs, strict=True)
    ]
    endpoint.script = lambda *_: endpoint.say(TEXT, logprobs=tokens)
    outcome = ask(logprobs=True)
    row = rows(outcome)[0]
    assert row["confidence_ans"] == pytest.approx(0.1353352832)  # e^-2
    assert row["confidence_avg"] == pytest.approx((1 + 0.3678794412 + 0.1353352832 + 1) / 4)
    assert outcome.elicitation["ans"]["mean_confidence"] == pytest.approx(0.1353352832)


def test_seeds_differ_by_sample_and_by_the_runs_own(endpoint: Any, ask: Any, tmp_path: Path) -> None:
    ask(sends_seed=True)
    seeds = {request["seed"] for request in endpoint.requests}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**31 for seed in seeds)
    (tmp_path / "out" / "journal.jsonl").unlink()
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    ask(seed=1, sends_seed=True)
    assert len({request["seed"] for request in endpoint.requests}) == 16


def test_a_wrong_address_key_or_name_is_told_at_once(endpoint: Any, ask: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # not listening
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(UserError, match=r"evaluation.endpoint.base_url = .*no server answers there"):
            ask(base_url=address)
    with pytest.raises(UserError, match=r"api_key_env = 'NO_SUCH_KEY': the environment variable is not set"):
        ask(api_key_env="NO_SUCH_KEY")
    with pytest.raises(UserError, match=r"--model: must be the name that the endpoint serves"):
        ask(model=None)
    assert endpoint.requests == []
