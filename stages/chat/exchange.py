"""What is asked of a model in words, and what comes back."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from emocal_rl.platform.contracts import Sample

Role = Literal["teacher", "judge", "evaluated", "scorer"]
SECTIONS: dict[Role, str] = {
    "teacher": "synthesis.teacher",
    "judge": "synthesis.judge",
    "evaluated": "evaluation.endpoint",
    "scorer": "evaluation.judge",
}
"""The config section of each role's model."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request about one sample; its images go with the prompt. `attempt` counts from 0 per role and prompt."""

    sample: Sample
    role: Role
    prompt: str
    attempt: int = 0
    system: str = ""
    """System prompt; empty for none."""
    seed: int | None = None
    """Sent to endpoints where there is one."""
    first_token_only: bool = False
    """Only the reply's first token is wanted, with the likeliest others in its place."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to an `Ask`, as the journal keeps it.

    `prompt_hash` names the prompt it answers: a reply to another wording counts for nothing. `finish_reason` is stop,
    length, or refused: then `text` is the refusal.
    """

    sample_id: str
    role: Role
    prompt_hash: str
    text: str
    finish_reason: Literal["stop", "length", "refused"]
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class TokenizedReply(Reply):
    """A reply with the log-prob of each of its tokens, and where each ends in `text`, in characters.

    `first_alternatives`: what else could have been its first token, itself included, with log-probs.
    """

    logprobs: tuple[float, ...]
    token_ends: tuple[int, ...]
    first_alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer came, whatever was tried; the sample stays open for another run."""

    message: str


Receive = Callable[[Ask, Reply | Failure], Ask | None]
"""Takes an answer in, and may ask the same model again."""


class Responder(Protocol):
    """A model that answers."""

    def answer(self, asks: Sequence[Ask], receive: Receive) -> None:
        """Answer everything, in any order, handing over each answer as it comes, and what `receive` asks again."""


def prompt_hash(prompt: str) -> str:
    """Return the name under which a prompt is remembered."""
    return hashlib.sha256(prompt.encode()).hexdigest()[:16]
