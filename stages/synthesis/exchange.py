"""What is asked of teacher and judge, and what comes back."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from emocal_rl.platform.contracts import Sample

Role = Literal["teacher", "judge"]
ROLES: tuple[Role, ...] = ("teacher", "judge")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request about one sample; its images go with the prompt. `attempt` counts from 0 per role and prompt."""

    sample: Sample
    role: Role
    prompt: str
    attempt: int = 0


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
