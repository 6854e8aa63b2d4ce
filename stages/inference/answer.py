from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any, Literal, Protocol

import numpy as np

from emocal_rl.benchmarks.vecbench.elicitation import decisive_token
from emocal_rl.platform.contracts import RolloutGroup, Sample
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.rows import with_portable_images
from emocal_rl.platform.data.vecbench import vecbench_row
from emocal_rl.platform.responses.grammar import parse_response
from emocal_rl.stages.chat.exchange import Failure, Reply, TokenizedReply
from emocal_rl.stages.confidence_label import mean_token_probability
from emocal_rl.stages.inference.question import Question


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question, as the journal keeps it. `text` is None where the model refused; `error` says how.

    `confidence_ans`: probability of the answer's first decisive token. `confidence_avg`: mean probability of all
    tokens, the end of the turn included where the engine tells it. Both as sampled, so temperature included; None where
    the tokens are not known or nothing is decisive. `image_sizes`: [height, width] in pixels of each image as the
    vision tower saw it; empty where that is not known. `first_words`: of a question with such, their probabilities,
    adding up to 1; None where they are not known.
    """

    text: str | None
    finish_reason: Literal["stop", "length", "refused"]
    error: str | None = None
    confidence_ans: float | None = None
    confidence_avg: float | None = None
    prompt_tokens: int = 0
    num_tokens: int = 0
    image_sizes: Sequence[Sequence[int]] = ()
    first_words: Mapping[str, float] | None = None


Receive = Callable[[Question, Answer | Failure], None]


class Answerer(Protocol):
    """A model that is asked questions."""

    def answer(self, questions: Sequence[Question], receive: Receive) -> None:
        """Answer everything, in any order, handing over each answer as it comes."""


def answer_of_group(question: Question, group: RolloutGroup) -> Answer:
    """Return what a rollout worker's one response to a question says."""
    (response,), sample = group.responses, question.sample
    assert response.token_ends is not None
    token = _decisive(sample, response.text, response.token_ends.tolist())
    return Answer(
        response.text,
        response.finish_reason,
        confidence_ans=None if token is None else exp(response.logprobs[token]),
        confidence_avg=mean_token_probability(response.logprobs),
        prompt_tokens=len(group.prompt_token_ids),
        num_tokens=len(response.token_ids),
        image_sizes=[list(size) for size in group.image_sizes],
        first_words=_shares(dict(zip(question.first_words, map(exp, response.first_word_logprobs), strict=False))),
    )


def answer_of_reply(question: Question, reply: Reply) -> Answer:
    """Return what an endpoint's reply to a question says."""
    sample = question.sample
    if reply.finish_reason == "refused":
        return Answer(None, "refused", error=f"refused: {reply.text}")
    ans = avg = None
    if isinstance(reply, TokenizedReply) and reply.logprobs:
        token = _decisive(sample, reply.text, reply.token_ends)
        ans = None if token is None else exp(reply.logprobs[token])
        avg = mean_token_probability(np.array(reply.logprobs, np.float32))
    return Answer(
        reply.text,
        reply.finish_reason,
        confidence_ans=ans,
        confidence_avg=avg,
        prompt_tokens=reply.prompt_tokens,
        num_tokens=reply.completion_tokens,
        first_words=_words_of_tokens(question, reply),
    )


def _decisive(sample: Sample, text: str, token_ends: Sequence[int]) -> int | None:
    return decisive_token(text, token_ends, sample.task, sample.candidates) if sample.candidates else None


def _words_of_tokens(question: Question, reply: Reply) -> dict[str, float] | None:
    """Return the first words' probabilities by the likeliest first tokens, which an endpoint sends as texts.

    A token counts for the word that it is, or begins, whatever the case; one that may begin several counts for none,
    as does a word whose tokens are not among those sent.
    """
    found = dict.fromkeys(question.first_words, 0.0)
    for token, logprob in reply.first_alternatives if isinstance(reply, TokenizedReply) else ():
        begun = [word for word in found if token.strip() and word.casefold().startswith(token.strip().casefold())]
        if len(begun) == 1:
            found[begun[0]] += exp(logprob)
    return _shares(found)


def _shares(probabilities: Mapping[str, float]) -> dict[str, float] | None:
    total = sum(probabilities.values())
    return {word: value / total for word, value in probabilities.items()} if total else None


def prediction_row(folder: Location, sample: Sample, seed: int, answer: Answer | Failure) -> dict[str, Any]:
    """Return the row of a VECBench prediction file: the row that was asked, and what came of it.

    Args:
        folder: of the file; images below it are referred to relative to it.
        sample: as it was asked.
        seed: of the sampling.
        answer: to it.
    """
    row = vecbench_row(with_portable_images(folder, sample))
    if isinstance(answer, Failure):
        return {"original_data": row, "error": answer.message}
    if answer.text is None:
        return {"original_data": row, "error": answer.error}
    return {
        **row,
        "response": answer.text,
        "confidence": parse_response(answer.text).confidence,
        "confidence_ans": answer.confidence_ans,
        "confidence_avg": answer.confidence_avg,
        "finish_reason": answer.finish_reason,
        "prompt_tokens": answer.prompt_tokens,
        "num_tokens": answer.num_tokens,
        "image_sizes": answer.image_sizes,
        "seed": seed,
    }
