import base64
import json
import threading
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.platform.config.endpoint import EndpointConfig
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.images import ImageLimits
from emocal_rl.platform.errors import DataError, UserError
from emocal_rl.stages.chat.budget import Budget, Caps
from emocal_rl.stages.chat.endpoint import Endpoint, retry_after_s
from emocal_rl.stages.chat.exchange import Ask, Failure, Reply, Role, TokenizedReply, prompt_hash
from emocal_rl.stages.chat.usage import Usage

Answers = list[tuple[str, Reply | Failure]]


@pytest.fixture
def answer(tmp_path: Path, face_image: bytes, endpoint: Any) -> Callable[..., Answers]:
    """Ask about samples and return the answers in the order they came."""
    (tmp_path / "face.png").write_bytes(face_image)

    def run(ids: Sequence[str] = ("s0",), role: Role = "teacher", again: int = 0, **settings: Any) -> Answers:
        caps = Caps("synthesis", settings.pop("max_cost", None), settings.pop("max_requests", None))
        options = {name: settings.pop(name) for name in ("logprobs", "response_format") if name in settings}
        turn = {name: settings.pop(name) for name in ("system", "seed") if name in settings}
        shared = {"base_url": endpoint.url, "api_key_env": "EMOCAL_TEST_KEY", "concurrency": 4, "timeout_s": 20.0}
        model = EndpointConfig(**{"model": role, **shared, **settings})
        answers: Answers = []
        asked = Endpoint(role, model, ImageLimits(), Budget({role: model}, caps, usage), **options)

        def receive(ask: Ask, answer: Reply | Failure) -> Ask | None:
            answers.append((ask.sample.id, answer))
            if isinstance(answer, Reply):
                usage.count(answer)
            return Ask(ask.sample, ask.role, ask.prompt, ask.attempt + 1) if ask.attempt < again else None

        asked.answer([Ask(sample(tmp_path, one), role, f"[{one}] awe", **turn) for one in ids], receive)
        return answers

    usage = Usage()

    return run


def sample(folder: Path, sample_id: str) -> Sample:
    return Sample(sample_id, (str(folder / "face.png"),), "?", ("awe", "fear"), "awe", "FI-8")


def test_a_request_holds_image_prompt_and_settings(endpoint: Any, answer: Any, face_image: bytes) -> None:
    ((_, reply),) = answer(
        temperature=0.3, max_new_tokens=77, extra_body={"reasoning_effort": "low", "own": {"deep": [1]}}
    )
    assert isinstance(reply, Reply)
    assert (reply.sample_id, reply.role, reply.finish_reason) == ("s0", "teacher", "stop")
    assert reply.prompt_hash == prompt_hash("[s0] awe")
    assert (reply.prompt_tokens, reply.completion_tokens) == (1000, 100)
    (request,) = endpoint.requests
    image, text = request["messages"][0]["content"]
    header, _, data = image["image_url"]["url"].partition(",")
    assert (header, base64.b64decode(data)) == ("data:image/png;base64", face_image)
    assert text == {"type": "text", "text": "[s0] awe"}
    assert request["authorization"] == "Bearer sk-very-secret"
    settings = {key: request[key] for key in ("temperature", "max_completion_tokens", "reasoning_effort", "model")}
    assert settings == {
        "temperature": 0.3,
        "max_completion_tokens": 77,
        "reasoning_effort": "low",
        "model": "teacher",
    }
    assert request["own"] == {"deep": [1]}
    assert "response_format" not in request


def test_the_endpoint_may_choose_the_temperature_and_enforce_a_schema(endpoint: Any, answer: Any) -> None:
    answer(temperature=None, response_format={"type": "json_object"})
    (request,) = endpoint.requests
    assert "temperature" not in request
    assert request["response_format"] == {"type": "json_object"}


def test_system_prompt_and_seed_are_sent_where_there_are_any(endpoint: Any, answer: Any) -> None:
    answer(system="Be brief.", seed=7)
    (request,) = endpoint.requests
    assert request["messages"][0] == {"role": "system", "content": "Be brief."}
    assert request["messages"][1]["role"] == "user"
    assert request["seed"] == 7
    answer()
    assert "seed" not in endpoint.requests[1]
    assert [message["role"] for message in endpoint.requests[1]["messages"]] == ["user"]


def test_log_probs_come_with_the_place_where_each_token_ends(endpoint: Any, answer: Any) -> None:
    pieces = [("a", [97], -0.5), ("\\xc3", [195], -0.25), ("\\xa9", [169], -0.125), ("we", None, 0.0), ("", None, -1.0)]
    content = [{"token": token, "bytes": data, "logprob": logprob} for token, data, logprob in pieces]
    endpoint.script = lambda *_: endpoint.say("aéwe", logprobs=content)
    ((_, reply),) = answer(logprobs=True)
    assert endpoint.requests[0]["logprobs"] is True
    assert isinstance(reply, TokenizedReply)
    assert reply.logprobs == (-0.5, -0.25, -0.125, 0.0, -1.0)
    assert reply.token_ends == (1, 1, 2, 4, 4)
    endpoint.script = lambda *_: endpoint.say("aéwe")
    with pytest.raises(UserError, match=r"sends no log-probs of tokens. Set synthesis.teacher.logprobs=false"):
        answer(logprobs=True)


def test_requests_are_spread_over_the_minute(endpoint: Any, answer: Any) -> None:
    times: list[float] = []

    def script(*_: Any) -> Any:
        times.append(time.monotonic())
        return endpoint.say("fine")

    endpoint.script = script
    answer(["s0", "s1", "s2", "s3"], requests_per_minute=600)
    assert times[-1] - times[0] >= 0.2  # three tenths of a second, as another thread sees it


@pytest.mark.parametrize(
    "first",
    [
        {"status": 429, "headers": {"Retry-After": "0"}},
        {"status": 500},
        {"status": 503, "body": "<html>busy</html>"},
        {"body": '{"choices": [{"mess'},
        {"body": "not even close", "headers": {"Content-Type": "text/plain"}},
        {"body": '{"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": []}'},
        {"text": None},
        {"text": "late", "delay_s": 0.7},
    ],
)
def test_what_may_pass_is_asked_again(endpoint: Any, answer: Any, first: dict[str, Any]) -> None:
    endpoint.script = lambda _, __, asked: endpoint.say(**first) if asked < 2 else endpoint.say("fine")
    ((_, reply),) = answer(timeout_s=0.5 if "delay_s" in first else 20.0)
    assert isinstance(reply, Reply)
    assert reply.text == "fine"
    assert len(endpoint.requests) == 3 or "delay_s" in first  # a busy machine is late more often


def test_retry_after_holds_every_request_back(endpoint: Any, answer: Any) -> None:
    times: dict[tuple[str, int], float] = {}

    def script(_: str, sample_id: str, asked: int) -> Any:
        times[sample_id, asked] = time.monotonic()
        if sample_id == "s1" and asked == 0:
            return endpoint.say(status=429, headers={"Retry-After": "0.8"})
        return endpoint.say("fine", delay_s=0.3 if sample_id == "s2" else 0.0)

    endpoint.script = script
    answer(["s0", "s1", "s2", "s3"], concurrency=2)  # s0 goes alone; s3 takes the place of s2
    assert times["s1", 1] - times["s1", 0] >= 0.8
    assert times["s3", 0] - times["s1", 0] >= 0.8


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after_s("0.25") == 0.25
    assert retry_after_s("-3") == 0.0
    assert 90 < (retry_after_s(formatdate(time.time() + 100, usegmt=True)) or 0) <= 100
    assert [retry_after_s(header) for header in (None, "soon", "")] == [None, None, None]


def test_a_sample_without_an_answer_is_a_failure_and_the_others_go_on(endpoint: Any, answer: Any) -> None:
    endpoint.script = lambda _, sample_id, __: (
        endpoint.say("overloaded", status=529) if sample_id == "s1" else endpoint.say("ok")
    )
    answers = dict(answer(["s0", "s1", "s2"], max_retries=2))
    assert isinstance(answers["s1"], Failure)
    assert answers["s1"].message.startswith("no answer after 3 attempts, last: ")
    assert "overloaded" in answers["s1"].message
    assert all(isinstance(answers[one], Reply) for one in ("s0", "s2"))


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_is_the_samples_own(endpoint: Any, answer: Any, status: int) -> None:
    endpoint.script = lambda *_: endpoint.say("image not allowed", status=status)
    ((_, reply),) = answer()
    assert isinstance(reply, Reply)
    assert (reply.finish_reason, len(endpoint.requests)) == ("refused", 1)
    assert "image not allowed" in reply.text


def test_a_content_filter_is_a_refusal_and_a_cut_text_is_told(endpoint: Any, answer: Any) -> None:
    endpoint.script = lambda *_: endpoint.say("", finish_reason="content_filter")
    ((_, filtered),) = answer()
    assert (filtered.finish_reason, filtered.text) == ("refused", "content filter")
    endpoint.script = lambda *_: endpoint.say("cut", finish_reason="length")
    ((_, cut),) = answer()
    assert (cut.finish_reason, cut.text) == ("length", "cut")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_endpoint_of_no_use_ends_it_without_telling_the_key(endpoint: Any, answer: Any, status: int) -> None:
    endpoint.script = lambda *_: endpoint.say("Incorrect API key: sk-very-secret", status=status)
    with pytest.raises(UserError, match=r"synthesis.teacher.base_url = 'http://127.*: refuses requests") as caught:
        answer(["s0", "s1"])
    assert "Incorrect API key: ***" in str(caught.value)
    assert "very-secret" not in str(caught.value)
    assert len(endpoint.requests) == 1


def test_a_used_up_account_is_not_waited_for(endpoint: Any, answer: Any) -> None:
    body = json.dumps({"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}})
    endpoint.script = lambda *_: endpoint.say(status=429, body=body, headers={"Retry-After": "60"})
    with pytest.raises(UserError, match="You exceeded your quota"):
        answer()


def test_a_key_that_is_not_set_is_named(answer: Any) -> None:
    with pytest.raises(UserError, match=r"synthesis.teacher.api_key_env = 'NO_SUCH_KEY': the environment variable is"):
        answer(api_key_env="NO_SUCH_KEY")


def test_no_more_requests_at_once_than_allowed_and_the_first_alone(endpoint: Any, answer: Any) -> None:
    together = threading.Barrier(3, timeout=15)

    def script(_: str, sample_id: str, __: int) -> Any:
        if sample_id != "s0":
            together.wait()
        return endpoint.say("fine")

    endpoint.script = script
    answers = answer([f"s{i}" for i in range(7)], concurrency=3)
    assert sorted(one for one, _ in answers) == [f"s{i}" for i in range(7)]
    assert endpoint.most_at_once == 3
    assert endpoint.asked[0] == ("teacher", "s0")


def test_what_is_asked_again_goes_through_the_budget_too(endpoint: Any, answer: Any) -> None:
    answers = answer(["s0", "s1", "s2"], again=1, concurrency=1, max_requests=5)
    assert [one for one, _ in answers] == ["s0", "s0", "s1", "s1", "s2"]
    assert len(endpoint.requests) == 5


def test_a_cost_cap_needs_token_counts(endpoint: Any, answer: Any) -> None:
    endpoint.script = lambda *_: endpoint.say("fine", usage=None)
    assert len(answer(["s0", "s1", "s2"])) == 3
    with pytest.raises(UserError, match=r"reports no token usage, so synthesis.max_cost cannot be kept"):
        answer(max_cost=1.0)


def test_a_missing_image_names_its_row(answer: Any, tmp_path: Path) -> None:
    (tmp_path / "face.png").unlink()
    with pytest.raises(DataError, match="s0 image"):
        answer()
