import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.errors import RewardError
from emocal_rl.platform.responses.grammar import render_response
from emocal_rl.rewards import http_scorer
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.group_scoring import score_group
from emocal_rl.rewards.registry import resolve_rule

SAMPLE = Sample("s-1", ("a.png",), "Which?", ("awe", "fear"), "awe", "FI-8")
Answer = tuple[int, Any]
DRIPPING = 203
"""A status after which the server sends a byte at a time."""


def answered(answer: str, confidence: str) -> str:
    return render_response(dict.fromkeys(REASONING_PARTS, "x"), answer, confidence)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[str, list[Any]]]]:
    """Start a server that gives one answer after the other, the last one for good; returns its URL and what it got."""
    monkeypatch.setattr(http_scorer, "_FIRST_PAUSE_S", 0.001)
    servers, given_up = [], threading.Event()

    def start(*answers: Answer | Callable[[Any], Answer]) -> tuple[str, list[Any]]:
        received: list[Any] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = answers[min(len(received), len(answers) - 1)]
                received.append((self.path, body))
                status, value = answer(body) if callable(answer) else answer
                data = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                self.end_headers()
                if status != DRIPPING:
                    self.wfile.write(data)
                    return
                for byte in data:
                    self.wfile.write(bytes([byte]))
                    if given_up.wait(0.05):
                        return

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/score?strictness=2", received

    yield start
    given_up.set()
    for server in servers:
        server.shutdown()
        server.server_close()


def composition(url: str, *, group_s: float = 10.0, **params: float) -> Composition:
    config = {"confidence": {"rule": url, "invalid": -1.5, "params": params, "weight": 2.0}, "timeout_s": group_s}
    return Composition.from_config(RewardConfig.model_validate(config))


def test_a_group_is_one_request_about_the_responses_that_count(serve) -> None:
    url, received = serve(lambda body: (200, {"scores": [item["confidence"] for item in body["responses"]]}))
    texts = [(answered("awe", "0.8"), "stop"), (answered("fear", "high"), "stop"), (answered("fear", "0.25"), "length")]
    rewarded = score_group(composition(url), SAMPLE, texts)
    assert [response.terms["confidence"] for response in rewarded] == [1.6, -3.0, 0.5]
    assert [response.total for response in rewarded] == [3.6, -2.0, 0.5]
    ((path, body),) = received
    assert path == "/score?strictness=2"
    assert [item["text"] for item in body["responses"]] == [texts[0][0], texts[2][0]]
    assert {name: value for name, value in body["responses"][1].items() if name != "text"} == {
        "sample_id": "s-1", "task": "FI-8", "question": "Which?", "candidates": ["awe", "fear"], "label": "awe",
        "answer": "fear", "confidence": 0.25, "correct": False, "well_formed": False, "finish_reason": "length",
    }  # fmt: skip


def test_a_scorer_must_answer_before_its_group_is_given_up() -> None:
    with pytest.raises(RewardError) as caught:
        composition("http://h/score", timeout_s=60)
    assert str(caught.value) == (
        "reward.confidence.params.timeout_s = 60.0: must be below reward.timeout_s, 10 s, after which the whole group "
        "is masked. Raise that one (--set reward.timeout_s=75), or give the scorer less time."
    )
    two = {"format": {"rule": "http://h/f"}, "confidence": {"rule": "http://h/c", "invalid": 0.0}}
    with pytest.raises(RewardError, match=r"reward\.format\.params\.timeout_s \+ reward\.confidence.* = 16\.0"):
        Composition.from_config(RewardConfig.model_validate(two))
    assert Composition.from_config(RewardConfig.model_validate({**two, "timeout_s": 16.5})).config.timeout_s == 16.5


def test_one_response_by_itself(serve) -> None:
    url, _ = serve((200, {"scores": [0.25]}))
    assert composition(url).score(SAMPLE, answered("awe", "0.8"), "stop").terms["confidence"] == 0.5


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(serve, status: int) -> None:
    url, received = serve((status, b""), (status, b""), (200, {"scores": [0.5]}))
    assert composition(url, retries=2).score(SAMPLE, answered("awe", "0.8"), "stop").terms["confidence"] == 1.0
    assert len(received) == 3


@pytest.mark.parametrize(
    ("answer", "params", "message", "requests"),
    [
        ((503, b""), {"retries": 1}, r"status 503 \(attempt 2 of 2", 2),
        ((400, b""), {"retries": 5}, r"status 400 \(attempt 1 of 6", 1),
        ((200, {"scores": [1.0, 2.0]}), {}, "2 scores for 1 responses", 1),
        ((200, {"scores": ["high"]}), {}, r"must answer .*valid number", 1),
        ((200, b'{"scores": [NaN]}'), {}, "must answer", 1),
        ((200, b"<html>"), {}, "must answer .*Invalid JSON", 1),
        ((200, {"score": [1.0]}), {}, "must answer .*Field required", 1),
        ((200, {"scores": [None]}), {}, "has no score for this response", 1),
    ],
)
def test_what_is_no_answer_masks_the_response(serve, answer, params, message, requests) -> None:
    url, received = serve(answer)
    (rewarded,) = score_group(composition(url, **params), SAMPLE, [(answered("awe", "0.8"), "stop")])
    assert rewarded.masked is not None
    assert rewarded.masked.startswith("error: ")
    with pytest.raises(http_scorer.HttpScorerError, match=message):
        composition(url, **params).score(SAMPLE, answered("awe", "0.8"), "stop")
    assert len(received) == 2 * requests


def test_only_the_response_without_a_score_is_masked(serve) -> None:
    url, _ = serve((200, {"scores": [0.5, None]}))
    texts = [(answered("awe", "0.8"), "stop"), (answered("fear", "0.8"), "stop")]
    first, second = score_group(composition(url), SAMPLE, texts)
    assert (first.masked, first.total) == (None, 3.0)
    assert second.masked == f"error: {url} has no score for this response"


def test_an_attempt_may_take_no_longer_than_the_deadline(serve) -> None:
    release = threading.Event()

    def late(_: Any) -> Answer:
        release.wait(30)
        return 200, {"scores": [1.0]}

    url, _ = serve(late)
    with pytest.raises(http_scorer.HttpScorerError, match=r"timed out \(attempt 1 of 4, 0.1 s"):
        composition(url, timeout_s=0.1, retries=3).score(SAMPLE, answered("awe", "0.8"), "stop")
    release.set()


def test_the_deadline_is_for_the_whole_of_a_reply(serve) -> None:
    url, _ = serve((DRIPPING, {"scores": [1.0] + [0.0] * 20}))
    start = time.monotonic()
    with pytest.raises(http_scorer.HttpScorerError, match=r"timed out \(attempt 1 of 3, 0.2 s"):
        composition(url, timeout_s=0.2).score(SAMPLE, answered("awe", "0.8"), "stop")
    assert time.monotonic() - start < 2.0


def test_the_deadline_is_for_all_attempts(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append)
    monkeypatch.setattr(http_scorer, "time", clock)
    url, received = serve((503, b""))
    with pytest.raises(http_scorer.HttpScorerError, match=r"status 503 \(attempt 17 of 21, 100 s"):
        composition(url, group_s=101, timeout_s=100, retries=20).score(SAMPLE, answered("awe", "0.8"), "stop")
    assert sum(slept) == pytest.approx(0.001 * (2**16 - 1))  # a further pause would end at 131 s
    assert len(received) == 17


def test_nobody_at_the_address() -> None:
    with pytest.raises(http_scorer.HttpScorerError, match="Connection refused"):
        composition("http://127.0.0.1:9/", timeout_s=0.5).score(SAMPLE, answered("awe", "0.8"), "stop")


@pytest.mark.parametrize("url", ["http://", "http:///score", "http://host:port/", "https://h:99999/", "http://h/a b"])
def test_a_url_that_cannot_be_asked_is_refused_at_once(url: str) -> None:
    with pytest.raises(RewardError, match="must be http://host:port/path"):
        resolve_rule(url, {})


def test_its_parameters_are_validated_and_a_worst_value_must_be_given() -> None:
    with pytest.raises(RewardError, match=r"reward.params.retries = -1"):
        resolve_rule("http://host/score", {"retries": -1})
    with pytest.raises(RewardError, match="declares no worst value"):
        Composition.from_config(RewardConfig.model_validate({"confidence": {"rule": "http://host/score"}}))
