"""A model behind an OpenAI-compatible endpoint."""

import asyncio
import base64
import codecs
import email.utils
import io
import logging
import os
import random
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import openai
from openai.types.chat import ChatCompletion
from openai.types.chat.chat_completion import Choice
from PIL import Image

from emocal_rl.platform.config.endpoint import EndpointConfig
from emocal_rl.platform.data.images import ImageLimits, load_sample_images
from emocal_rl.platform.errors import UserError
from emocal_rl.stages.chat.budget import Budget
from emocal_rl.stages.chat.exchange import SECTIONS, Ask, Failure, Receive, Reply, Role, TokenizedReply, prompt_hash

_log = logging.getLogger(__name__)

_FIRST_WAIT_S = 1.0
_MAX_ALTERNATIVES = 20
"""The most alternatives to a token that OpenAI's API sends."""
_TRANSIENT = (408, 409, 425, 429)
"""Worth a repetition, beside everything from 500 on."""
_OF_THE_SAMPLE = (400, 413, 422)
"""This request was refused; another may not be."""


class Endpoint:
    """Asks one model over HTTP, several requests at a time, as far as the budget goes.

    Args:
        role: whose model it is.
        config: of the model; its key is read from the environment here and told to nobody.
        limits: of images; they are sent as data URIs.
        budget: shared by all roles.
        response_format: of every request, for an endpoint that can enforce one.
        logprobs: ask for the log-probs of the reply's tokens; replies are then `TokenizedReply`.

    Raises:
        UserError: the key's variable is not set.
    """

    def __init__(
        self,
        role: Role,
        config: EndpointConfig,
        limits: ImageLimits,
        budget: Budget,
        *,
        response_format: Mapping[str, Any] | None = None,
        logprobs: bool = False,
    ) -> None:
        self._role, self._config, self._limits, self._budget = role, config, limits, budget
        self._response_format, self._logprobs = response_format, logprobs
        self._key = read_api_key(role, config)
        self._not_before_s = self._next_start_s = 0.0

    def answer(self, asks: Sequence[Ask], receive: Receive) -> None:
        """Ask everything, in this order; hand over each answer as it comes. Returns early when the budget is spent.

        Raises:
            UserError: the endpoint refuses every request: a wrong key, an unknown model, a used-up account.
        """
        asyncio.run(self._answer(asks, receive))

    async def _answer(self, asks: Sequence[Ask], receive: Receive) -> None:
        waiting, running = deque(asks), set[asyncio.Task[tuple[Ask, Reply | Failure]]]()
        config = self._config
        async with openai.AsyncOpenAI(
            api_key=self._key, base_url=config.base_url, timeout=config.timeout_s, max_retries=0
        ) as client:
            try:
                while waiting or running:
                    while waiting and len(running) < config.concurrency and self._budget.reserve(self._role):
                        running.add(asyncio.create_task(self._ask(client, waiting.popleft())))
                    if not running:
                        return
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for task in sorted(done, key=_has_failed):  # what was answered is kept before an error ends it all
                        ask, answer = task.result()
                        again = receive(ask, answer)
                        self._budget.release()
                        if again is not None:
                            waiting.appendleft(again)
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    async def _ask(self, client: openai.AsyncOpenAI, ask: Ask) -> tuple[Ask, Reply | Failure]:
        """Ask until there is an answer: `max_retries` repetitions, with growing waits or as the endpoint says."""
        images = await asyncio.to_thread(load_sample_images, ask.sample, self._limits)
        request = self._request(ask, images)
        for attempt in range(self._config.max_retries + 1):
            await asyncio.sleep(self._start_s() - time.monotonic())
            try:
                return ask, self._read(ask, await client.chat.completions.create(**request))
            except (openai.APIConnectionError, openai.APIResponseValidationError, ValueError) as error:
                problem, wait_s = self._redact(error), None
            except openai.APIStatusError as error:
                problem, wait_s = self._redact(error), retry_after_s(error.response.headers.get("retry-after"))
                if error.status_code in _OF_THE_SAMPLE:
                    return ask, _refusal(ask, problem)
                if error.status_code < 500 and (error.status_code not in _TRANSIENT or _is_used_up(error)):
                    raise self._unusable(problem) from None
            _log.warning("%s of %s, attempt %d: %s", self._role, ask.sample.id, attempt + 1, problem)
            if wait_s is None:
                await asyncio.sleep(min(_FIRST_WAIT_S * 2**attempt, self._config.max_wait_s) * random.uniform(0.75, 1))
            else:  # it concerns every request, not this one alone
                resume_s = time.monotonic() + min(wait_s, self._config.max_wait_s)
                self._not_before_s = max(self._not_before_s, resume_s)
        return ask, Failure(f"no answer after {self._config.max_retries + 1} attempts, last: {problem}")

    def _start_s(self) -> float:
        """When the next request may start; each call takes a place in the queue that `requests_per_minute` makes."""
        start_s = max(self._not_before_s, self._next_start_s, time.monotonic())
        if self._config.requests_per_minute is not None:
            self._next_start_s = start_s + 60 / self._config.requests_per_minute
        return start_s

    def _request(self, ask: Ask, images: Sequence[bytes]) -> dict[str, Any]:
        config = self._config
        content: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": _data_uri(data)}} for data in images
        ]
        system = [{"role": "system", "content": ask.system}] if ask.system else []
        request: dict[str, Any] = {
            "model": config.model,
            "messages": [*system, {"role": "user", "content": [*content, {"type": "text", "text": ask.prompt}]}],
            "max_completion_tokens": config.max_new_tokens,
            "extra_body": config.extra_body,
        }
        if config.temperature is not None:
            request["temperature"] = config.temperature
        if ask.seed is not None:
            request["seed"] = ask.seed
        if self._response_format is not None:
            request["response_format"] = self._response_format
        if self._logprobs or ask.first_token_only:
            request["logprobs"] = True
        if ask.first_token_only:
            request |= {"max_completion_tokens": 1, "top_logprobs": _MAX_ALTERNATIVES}
        return request

    def _read(self, ask: Ask, completion: ChatCompletion) -> Reply:
        """Return the reply in a response body.

        Raises:
            ValueError: it is no chat completion (the client does not check that).
        """
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise ValueError(f"no chat completion: {str(completion)[:200]}")
        (choice, *_), usage = completion.choices, completion.usage
        if usage is None and self._budget.caps.max_cost is not None:
            rule = f"reports no token usage, so {self._budget.caps.section}.max_cost cannot be kept"
            raise self._error(rule, "Cap the requests instead: --max-requests N.")
        text, refused = choice.message.content, choice.message.refusal or choice.finish_reason == "content_filter"
        if not refused and text is None:
            raise ValueError("a completion without text")
        reply = Reply(
            ask.sample.id,
            self._role,
            prompt_hash(ask.prompt),
            (choice.message.refusal or text or "content filter") if refused else text or "",
            "refused" if refused else "length" if choice.finish_reason == "length" else "stop",
            usage.prompt_tokens if usage else 0,
            usage.completion_tokens if usage else 0,
        )
        wants_tokens = self._logprobs or ask.first_token_only
        return self._tokenized(reply, choice) if wants_tokens and not refused else reply

    def _tokenized(self, reply: Reply, choice: Choice) -> TokenizedReply:
        tokens = choice.logprobs.content if choice.logprobs else None
        if tokens is None:
            rule = "sends no log-probs of tokens"
            raise self._error(rule, f"Set {SECTIONS[self._role]}.logprobs=false.")
        ends, decoder = [], codecs.getincrementaldecoder("utf-8")("ignore")
        end = 0
        for token in tokens:
            end += len(decoder.decode(token.token.encode() if token.bytes is None else bytes(token.bytes)))
            ends.append(end)
        alternatives = tuple((other.token, other.logprob) for other in tokens[0].top_logprobs or ()) if tokens else ()
        logprobs = tuple(token.logprob for token in tokens)
        return TokenizedReply(
            **asdict(reply), logprobs=logprobs, token_ends=tuple(ends), first_alternatives=alternatives
        )

    def _unusable(self, problem: str) -> UserError:
        fix = f"Check {SECTIONS[self._role]}.model, base_url and the key; the same command then continues."
        return self._error(f"refuses requests ({problem})", fix)

    def _error(self, rule: str, fix: str) -> UserError:
        return UserError(f"{SECTIONS[self._role]}.base_url", self._config.base_url, rule=rule, fix=fix)

    def _redact(self, error: Exception) -> str:
        """The first line of an error, without the key: some servers repeat it."""
        message = (str(error) or type(error).__name__).splitlines()[0][:500]
        return message.replace(self._key, "***")


def read_api_key(role: Role, config: EndpointConfig) -> str:
    """Return the key from the environment, or a stand-in for an endpoint that wants none.

    Raises:
        UserError: the variable is not set.
    """
    if config.api_key_env is None:
        return "none"
    if key := os.environ.get(config.api_key_env, "").strip():
        return key
    section = SECTIONS[role]
    fix = f"export {config.api_key_env}=..., or --set {section}.api_key_env=null for an endpoint without keys."
    rule = "the environment variable is not set"
    raise UserError(f"{section}.api_key_env", config.api_key_env, rule=rule, fix=fix)


def check_reachable(role: Role, config: EndpointConfig, timeout_s: float = 10.0) -> None:
    """Ask the endpoint for anything, so that a wrong address is told in seconds and not after all repetitions.

    Raises:
        UserError: no server answers there, or the key's variable is not set.
    """
    key = read_api_key(role, config)
    with openai.OpenAI(api_key=key, base_url=config.base_url, timeout=timeout_s, max_retries=0) as client:
        try:
            client.models.list()
        except openai.APIConnectionError as error:
            rule = f"no server answers there ({error.__cause__ or error})"
            fix = "Check the address, and that the server runs."
            raise UserError(f"{SECTIONS[role]}.base_url", config.base_url, rule=rule, fix=fix) from error
        except (openai.APIError, ValueError):
            return  # a server that has no list of models is a server


def _refusal(ask: Ask, message: str) -> Reply:
    return Reply(ask.sample.id, ask.role, prompt_hash(ask.prompt), message, "refused", 0, 0)


def _is_used_up(error: openai.APIStatusError) -> bool:
    return error.code == "insufficient_quota"


def retry_after_s(header: str | None) -> float | None:
    """Seconds, or an HTTP date (RFC 9110); None when there is no such header or it is neither."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        parsed = email.utils.parsedate_tz(header)
        return max(0.0, email.utils.mktime_tz(parsed) - time.time()) if parsed else None


def _data_uri(data: bytes) -> str:
    media_type = Image.open(io.BytesIO(data)).get_format_mimetype()
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _has_failed(task: asyncio.Task[tuple[Ask, Reply | Failure]]) -> bool:
    return task.exception() is not None
