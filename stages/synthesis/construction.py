"""VEC-CoT construction: the teacher writes, the judge reads, the journal remembers (paper, section on VEC-CoT)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from emocal_rl.benchmarks.synthvec.attribute_words import vocabulary
from emocal_rl.platform.config.endpoint import EndpointConfig
from emocal_rl.platform.config.synthesis import ChatModelConfig, JudgeConfig, SynthesisConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.data.images import ImageLimits
from emocal_rl.platform.errors import ConfigError, ConfigErrors, UserError
from emocal_rl.platform.progress import Progress
from emocal_rl.stages.chat.budget import Budget, Caps
from emocal_rl.stages.chat.endpoint import Endpoint, read_api_key
from emocal_rl.stages.chat.exchange import Ask, Failure, Reply, Responder, Role, prompt_hash
from emocal_rl.stages.chat.streak import Streak
from emocal_rl.stages.chat.usage import Usage
from emocal_rl.stages.inputs import check_images
from emocal_rl.stages.synthesis.dialogue import Dialogue
from emocal_rl.stages.synthesis.files import SynthesisFiles
from emocal_rl.stages.synthesis.output import Standing, Summary, write_outcomes
from emocal_rl.stages.synthesis.pairs import Pairs, read_pairs
from emocal_rl.stages.synthesis.prompts import ROLES, Prompts
from emocal_rl.stages.synthesis.reply_journal import ReplyJournal
from emocal_rl.stages.synthesis.verdict import VERDICT_FORMAT


class Construction:
    """One synthesis, checked and ready: the pairs, the prompts and the rules.

    Raises:
        UserError: a model, a key, a template or a row is missing or wrong; nothing has been asked by then.
    """

    def __init__(self, config: Config) -> None:
        _check_models(config)
        self.config = config
        self.pairs: Pairs = read_pairs(config)
        self.prompts = Prompts(config.synthesis, vocabulary() if self.pairs.oracle else None)
        self.dialogue = Dialogue(config.synthesis, self.prompts)
        example = self.pairs.samples[0]
        self.example = {
            "teacher": self.prompts.teacher(example),
            "judge": self.prompts.judge(example, dict.fromkeys(REASONING_PARTS, "...")),
        }

    @property
    def settings(self) -> dict[str, Any]:
        """What replies depend on, by config key; a journal holds replies under one such set."""
        named: dict[str, Any] = {"run.seed": self.config.run.seed}
        for role in ROLES:
            model: ChatModelConfig = getattr(self.config.synthesis, role)
            for name in ("model", "revision", "temperature", "max_new_tokens", "extra_body", "structured_output"):
                if hasattr(model, name):
                    named[f"synthesis.{role}.{name}"] = getattr(model, name)
            named[f"synthesis.{role}.template"] = f"sha256:{prompt_hash(self.prompts.texts[role])}"
        return named

    def standings(self, journal: ReplyJournal) -> Iterator[Standing]:
        """Yield where each sample stands, in the pairs' order."""
        for sample in self.pairs.samples:
            replies = journal.replies(sample.id)
            yield self.dialogue.step(sample, replies), replies


def run(construction: Construction, files: SynthesisFiles, progress: Progress) -> Summary:
    """Ask about everything that is open, then write what is finished; the caller holds the output's lock.

    Raises:
        UserError: an endpoint is of no use, or failed `max_failures` samples in a row. What was answered is kept, the
            files hold what is finished, and the same command continues.
    """
    with ReplyJournal(files.journal, construction.settings) as journal:
        budget = budget_of(construction.config.synthesis, journal.usage)

        def write() -> Summary:
            oracle = construction.pairs.oracle
            return write_outcomes(lambda: construction.standings(journal), files, journal, budget, oracle)

        try:
            _ask_everything(construction, journal, budget, progress)
        except UserError:
            write()
            raise
        return write()


def budget_of(config: SynthesisConfig, usage: Usage) -> Budget:
    """What may be spent on teacher and judge together."""
    models: dict[Role, EndpointConfig] = {"teacher": config.teacher, "judge": config.judge}
    return Budget(models, Caps("synthesis", config.max_cost, config.max_requests), usage)


def _ask_everything(construction: Construction, journal: ReplyJournal, budget: Budget, progress: Progress) -> None:
    samples, size = construction.pairs.samples, construction.config.synthesis.chunk_size
    with ExitStack() as stack:
        responders = _responders(construction.config, budget, stack)
        for start in range(0, len(samples), size):
            chunk = samples[start : start + size]
            for role in ROLES:
                _ask_all(construction, journal, role, responders[role], chunk, start, progress)
            if budget.is_spent:
                return


def _ask_all(
    construction: Construction,
    journal: ReplyJournal,
    role: Role,
    responder: Responder,
    chunk: Sequence[Sample],
    start: int,
    progress: Progress,
) -> None:
    """Have one role answer everything that a chunk wants of it."""
    dialogue = construction.dialogue
    steps = [dialogue.step(sample, journal.replies(sample.id)) for sample in chunk]
    asks = [step for step in steps if isinstance(step, Ask) and step.role == role]
    if not asks:
        return
    check_images([ask.sample for ask in asks], construction.config)
    progress.phase(f"{role}, pairs {start + 1} to {start + len(chunk)}", len(asks))
    streak = Streak(construction.config.synthesis.max_failures, lambda _, reply: journal.append(reply))

    def receive(ask: Ask, answer: Reply | Failure) -> Ask | None:
        streak.receive(ask, answer)
        if isinstance(answer, Reply) and answer.finish_reason != "refused":
            step = dialogue.step(ask.sample, journal.replies(ask.sample.id))
            if isinstance(step, Ask) and step.role == role:
                return step
        if isinstance(answer, Failure):
            progress.message(f"{role}: {ask.sample.id} stays open: {answer.message}")
        progress.advance()
        return None

    responder.answer(asks, receive)
    streak.close()


def _responders(config: Config, budget: Budget, stack: ExitStack) -> Mapping[Role, Responder]:
    responders: dict[Role, Responder] = {}
    models: dict[Role, ChatModelConfig] = {"teacher": config.synthesis.teacher, "judge": config.synthesis.judge}
    for role, model in models.items():
        if model.base_url is not None:
            enforced = VERDICT_FORMAT if isinstance(model, JudgeConfig) and model.structured_output else None
            limits = ImageLimits.from_config(config.data)
            responders[role] = Endpoint(role, model, limits, budget, response_format=enforced)
    if len(responders) < len(models):
        from emocal_rl.stages.synthesis.local_model import LocalModel, LocalModels  # Ray, which endpoints do not need

        loaded = stack.enter_context(LocalModels(config))
        for role in models.keys() - responders.keys():
            responders[role] = LocalModel(loaded, models[role], config)
    return responders


def _check_models(config: Config) -> None:
    """Both models are named, and the keys of endpoints are there."""
    errors = []
    for role in ROLES:
        model: ChatModelConfig = getattr(config.synthesis, role)
        if not model.model:
            rule = "must be set: the name at an endpoint, a local checkpoint or a hub id"
            errors.append(ConfigError(f"synthesis.{role}.model", rule=rule, fix=f"Add --{role} MODEL."))
        elif model.base_url is not None:
            read_api_key(role, model)
    if errors:
        raise ConfigErrors(errors)
