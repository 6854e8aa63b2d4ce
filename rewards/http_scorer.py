"""A reward behind HTTP: any server that answers a POST of responses with one number each."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http.client import HTTPException, IncompleteRead
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emocal_rl.platform.errors import EmoCalError, RewardError
from emocal_rl.rewards.registry import RewardInput, RewardRule

_RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIRST_PAUSE_S = 0.1
_PIECE = 1 << 16


class HttpScorerError(EmoCalError):
    """The server gave no usable answer in time; the responses it was asked about are masked."""


@dataclass(frozen=True, slots=True)
class ScoredItem:
    """One response as the server receives it. `confidence` is None where no valid one was stated."""

    sample_id: str
    task: str
    question: str
    candidates: tuple[str, ...]
    label: str
    text: str
    answer: str | None
    confidence: float | None
    correct: bool
    well_formed: bool
    finish_reason: str


class Scores(BaseModel):
    """What the server answers: one finite number per response, in order; null where it has none (masks that one)."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)
    scores: list[float | None]


class HttpScorer:
    """A reward rule at a URL. POSTs `{"responses": [ScoredItem, ...]}`, expects `Scores`.

    A refused connection, a timeout, and the statuses 408, 425, 429 and 5xx are tried again after growing pauses, within
    `timeout_s` in all. The server's own parameters belong in the URL's query: `http://host:8000/score?strictness=2`.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def score(
        self,
        responses: Sequence[RewardInput],
        *,
        timeout_s: Annotated[float, Field(gt=0, le=3600)] = 8.0,
        retries: Annotated[int, Field(ge=0, le=20)] = 2,
    ) -> list[float | None]:
        """Return one number per response, None where the server has none.

        Raises:
            HttpScorerError: no answer in time, a refusal, or an answer of another shape.
        """
        body = json.dumps({"responses": [asdict(_item(x)) for x in responses]}).encode()
        deadline = time.monotonic() + timeout_s
        for attempt in range(retries + 1):
            try:
                return self._read(self._post(body, deadline), len(responses))
            except urllib.error.HTTPError as error:
                problem = f"status {error.code}"
                if error.code not in _RETRIED_STATUS:
                    break
            except (OSError, HTTPException) as error:  # refused, reset, timed out, cut off
                problem = str(getattr(error, "reason", "") or error or type(error).__name__)
            pause = _FIRST_PAUSE_S * 2**attempt
            if attempt == retries or time.monotonic() + pause >= deadline:
                break
            time.sleep(pause)
        message = f"{self._url}: {problem} (attempt {attempt + 1} of {retries + 1}, {timeout_s:g} s)"
        raise HttpScorerError(message)

    def _post(self, body: bytes, deadline: float) -> bytes:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, body, headers, method="POST")  # noqa: S310 - checked in `http_rule`
        timeout_s = max(deadline - time.monotonic(), 1e-3)
        pieces: list[bytes] = []
        with urllib.request.urlopen(request, timeout=timeout_s) as reply:  # noqa: S310
            while piece := reply.read1(_PIECE):
                pieces.append(piece)
                if time.monotonic() > deadline:  # the socket's own timeout begins again with every byte
                    raise TimeoutError("timed out")
            if reply.length:  # announced, and not sent
                raise IncompleteRead(b"".join(pieces), reply.length)
        return b"".join(pieces)

    def _read(self, reply: bytes, count: int) -> list[float | None]:
        try:
            scores = Scores.model_validate_json(reply).scores
        except ValidationError as error:
            first = error.errors()[0]
            message = f'{self._url}: must answer {{"scores": [number or null, ...]}}: {first["msg"]} at {first["loc"]}'
            raise HttpScorerError(message) from error
        if len(scores) != count:
            message = f"{self._url}: {len(scores)} scores for {count} responses"
            raise HttpScorerError(message)
        return scores


def http_rule(url: str, *, key: str) -> RewardRule:
    """Return the rule at a URL; it declares no worst value.

    Raises:
        RewardError: the URL has no host or a bad port.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        is_complete = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_complete = False
    if not is_complete or any(character.isspace() for character in url):
        raise RewardError(key, url, rule="must be http://host:port/path", fix="Correct the URL of the scorer.")
    scorer = HttpScorer(url)

    def ask(
        x: RewardInput,
        *,
        timeout_s: Annotated[float, Field(gt=0, le=3600)] = 8.0,
        retries: Annotated[int, Field(ge=0, le=20)] = 2,
    ) -> float:
        """The number that the server gives one response."""
        (score,) = scorer.score([x], timeout_s=timeout_s, retries=retries)
        if score is None:
            message = f"{url} has no score for this response"
            raise HttpScorerError(message)
        return score

    return RewardRule(url, ask, ask_all=scorer.score)


def _item(x: RewardInput) -> ScoredItem:
    sample, parsed = x.sample, x.parsed
    return ScoredItem(
        sample.id, sample.task, sample.question, sample.candidates, sample.label, x.text,
        parsed.answer, parsed.confidence, x.correct, parsed.well_formed, x.finish_reason,
    )  # fmt: skip
