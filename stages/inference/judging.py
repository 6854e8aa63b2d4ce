"""A judge scores what the evaluated model wrote, where a suite asks for that."""

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from emocal_rl.benchmarks.suites.suite import Suite, SuiteAnswer
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.images import ImageLimits
from emocal_rl.platform.errors import UserError
from emocal_rl.platform.progress import Progress
from emocal_rl.stages.chat.budget import Budget, Caps
from emocal_rl.stages.chat.endpoint import Endpoint
from emocal_rl.stages.chat.exchange import Ask, Failure, Reply, Responder, prompt_hash
from emocal_rl.stages.chat.streak import Streak
from emocal_rl.stages.chat.usage import Usage
from emocal_rl.stages.inference.answer import Answer
from emocal_rl.stages.inference.files import InferenceFiles
from emocal_rl.stages.inference.question import Question
from emocal_rl.stages.response_journal import ResponseJournal
from emocal_rl.stages.synthesis.local_model import LocalModel, LocalModels

_SCORE = re.compile(r"\**(?:score\s*:\s*\**\s*)?([012])\**\s*\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class JudgeReply:
    """What a judge wrote in reply to the prompt of this hash, as the journal keeps it."""

    prompt_hash: str
    text: str
    prompt_tokens: int
    num_tokens: int


def read_score(text: str) -> int | None:
    """Return the score that a judge's last line is, with `Score:` before it or alone; None where it is anything else.

    Nothing is guessed: "Score: 2/2" or "between 1 and 2" is unreadable, and its round does not count.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = _SCORE.fullmatch(lines[-1]) if lines else None
    return int(found[1]) if found else None


def judge_answers(
    suite: Suite,
    questions: Sequence[Question],
    answers: Mapping[int, Answer | Failure],
    files: InferenceFiles,
    config: Config,
    progress: Progress,
) -> dict[int, tuple[int, ...]]:
    """Return the judge's readable scores by the question's index; none where no judge is configured.

    The judge reads words alone, no images. Its replies are journaled: the same command asks for what is missing.

    Raises:
        UserError: the judge cannot be reached, failed `max_failures` texts in a row, or its budget is spent.
    """
    judge = config.evaluation.judge
    prompts = {
        question.index: (question, prompt)
        for question in questions
        if (prompt := _prompt(suite, question, answers[question.index])) is not None
    }
    if judge.model is None or not prompts:
        return {}
    names = ("model", "revision", "base_url", "temperature", "max_new_tokens", "extra_body")
    settings = {f"evaluation.judge.{name}": getattr(judge, name) for name in names}
    with ResponseJournal(files.judge_journal, settings, JudgeReply) as journal, ExitStack() as stack:
        open_ = _open_asks(prompts, journal, judge.num_rounds)
        places = {(ask.sample.id, ask.attempt): place for place, ask in open_}
        progress.phase("judge", len(prompts) * judge.num_rounds)
        progress.advance(len(prompts) * judge.num_rounds - len(open_))
        usage = Usage()
        for earlier in journal.responses.values():
            usage.add("scorer", earlier.prompt_tokens, earlier.num_tokens, is_refused=False)

        def keep(ask: Ask, reply: Reply) -> None:
            usage.count(reply)
            counts = reply.prompt_tokens, reply.completion_tokens
            journal.append(places[ask.sample.id, ask.attempt], JudgeReply(reply.prompt_hash, reply.text, *counts))
            progress.advance()

        if open_:
            asks, streak = [ask for _, ask in open_], Streak(judge.max_failures, keep)
            num_failures = _ask(_responder(config, usage, stack), asks, streak)
            _refuse_open(config, len(_open_asks(prompts, journal, judge.num_rounds)) - num_failures)
        return {index: _scores(index, prompt, journal, judge.num_rounds) for index, (_, prompt) in prompts.items()}


Prompts = Mapping[int, tuple[Question, str]]
"""By a question's index: it, and what the judge is asked about its answer."""


def _open_asks(prompts: Prompts, journal: ResponseJournal[JudgeReply], num_rounds: int) -> list[tuple[int, Ask]]:
    """Return what is not answered yet, each with its place in the journal."""
    return [
        (place, Ask(sample, "scorer", prompt, question.repeat * num_rounds + number))
        for index, (question, prompt) in prompts.items()
        for sample in [replace(question.sample, images=(), system="")]
        for number in range(num_rounds)
        if not _is_known(journal, place := index * num_rounds + number, prompt)
    ]


def _scores(index: int, prompt: str, journal: ResponseJournal[JudgeReply], num_rounds: int) -> tuple[int, ...]:
    places = [index * num_rounds + number for number in range(num_rounds)]
    read = [read_score(journal.responses[place].text) for place in places if _is_known(journal, place, prompt)]
    return tuple(score for score in read if score is not None)


def _prompt(suite: Suite, question: Question, answer: Answer | Failure) -> str | None:
    response = None if isinstance(answer, Failure) else answer.text
    return suite.judge_question(SuiteAnswer(question.sample, response))


def _is_known(journal: ResponseJournal[JudgeReply], place: int, prompt: str) -> bool:
    reply = journal.responses.get(place)
    return reply is not None and reply.prompt_hash == prompt_hash(prompt)


def _responder(config: Config, usage: Usage, stack: ExitStack) -> Responder:
    judge = config.evaluation.judge
    if judge.base_url is None:
        return LocalModel(stack.enter_context(LocalModels(config)), judge, config)
    budget = Budget({"scorer": judge}, Caps("evaluation.judge", judge.max_cost, judge.max_requests), usage)
    return Endpoint("scorer", judge, ImageLimits.from_config(config.data), budget)


def _ask(responder: Responder, asks: Sequence[Ask], streak: Streak) -> int:
    """Ask as far as the budget goes; return how many got no answer whatever was tried."""
    failures: list[Failure] = []

    def receive(ask: Ask, answer: Reply | Failure) -> None:
        failures.extend([answer] if isinstance(answer, Failure) else ())
        streak.receive(ask, answer)

    responder.answer(asks, receive)
    streak.close()
    return len(failures)


def _refuse_open(config: Config, num_open: int) -> None:
    """A budget that is spent leaves texts that nobody judged: half of them are no score."""
    judge = config.evaluation.judge
    if num_open:
        name = "max_requests" if judge.max_cost is None else "max_cost"
        fix = "Raise it and run the same command again: it continues."
        rule = f"is spent, {num_open:,} scores are open"
        raise UserError(f"evaluation.judge.{name}", getattr(judge, name), rule=rule, fix=fix)
