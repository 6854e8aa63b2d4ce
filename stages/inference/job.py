"""`emocal-rl eval run`: any model answers a benchmark, and its predictions are scored."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from emocal_rl.benchmarks.suites.registry import open_suite
from emocal_rl.benchmarks.suites.suite import Suite, SuiteData
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.errors import UserError
from emocal_rl.platform.progress import Progress
from emocal_rl.stages.chat.exchange import Failure
from emocal_rl.stages.inference.answer import Answer
from emocal_rl.stages.inference.answering import answering, check_model, find_unreadable
from emocal_rl.stages.inference.endpoint_answerer import cost_of
from emocal_rl.stages.inference.files import InferenceFiles, default_folder
from emocal_rl.stages.inference.judging import judge_answers
from emocal_rl.stages.inference.output import Answers, Outcome, write_output
from emocal_rl.stages.inference.question import Question, questions_of
from emocal_rl.stages.inputs import choose_samples, hash_file
from emocal_rl.stages.response_journal import ResponseJournal, read_responses

Journal = ResponseJournal[Answer]


@dataclass(frozen=True)
class InferenceJob:
    """An inference that has been checked as far as can be without starting anything."""

    config: Config
    bench: str
    files: InferenceFiles
    suite: Suite
    data: SuiteData
    questions: tuple[Question, ...]
    settings: dict[str, object]
    num_done: int
    """Questions that an earlier attempt has answered."""
    num_left_out: int = 0
    """Samples that are not asked about, because the endpoint is not asked for log-probs."""

    @property
    def num_by_task(self) -> dict[str, int]:
        """Samples of each task."""
        tasks = Counter(question.sample.task for question in self.questions if question.repeat == 0)
        return dict(sorted(tasks.items()))


def prepare(config: Config, bench: str, data: Sequence[str], out: str | None) -> InferenceJob:
    """Read and check what the job needs: model or endpoint, samples, the journal of an earlier attempt.

    Args:
        config: `model` or `evaluation.endpoint` is asked, as `evaluation` says.
        bench: name of a suite, or the path to one (`open_suite`).
        data: its files, where it takes any.
        out: local folder to write; None is one that belongs to model and benchmark.

    Raises:
        UserError: any of them is not as it should be.
    """
    of_model = check_model(config)
    files = InferenceFiles.at(out or default_folder(config, bench))
    suite, prompt = open_suite(bench), config.evaluation.prompt
    found = suite.read(data, config)
    samples = tuple(suite.ask(sample, prompt) for sample in found.samples if _can_ask(suite, sample, config))
    if not samples:
        rule = "has no question that can be asked without log-probs"
        raise UserError("--bench", bench, rule=rule, fix="Add --logprobs, if the endpoint has them.")
    settings: dict[str, object] = {
        "--bench": bench,
        **{f"--data {number} (sha256)": hash_file(url) for number, url in enumerate(data, start=1)},
        **found.identity,
        "data.image_root": config.data.image_root,
        **of_model,
        "evaluation.prompt": prompt,
        "run.seed": config.run.seed,
    }
    chosen = choose_samples(len(samples), config)
    questions = tuple(questions_of(suite, samples, chosen, config.evaluation.num_repeats))
    done = read_responses(files.journal, settings, Answer)
    num_done = sum(question.index in done for question in questions)
    num_left_out = len(found.samples) - len(samples)
    config = _with_images(config, max(len(sample.images) for sample in samples))
    return InferenceJob(config, bench, files, suite, found, questions, settings, num_done, num_left_out)


def _can_ask(suite: Suite, sample: Sample, config: Config) -> bool:
    """Whether what is asked about a sample can be had: an endpoint tells probabilities only where it may."""
    endpoint = config.evaluation.endpoint
    return endpoint.base_url is None or endpoint.logprobs or not suite.first_words(sample)


def _with_images(config: Config, num_images: int) -> Config:
    """Let engines take as many images as a question shows."""
    rollout = config.rollout.model_copy(update={"max_images": max(config.rollout.max_images, num_images)})
    return config.model_copy(update={"rollout": rollout})


def run(job: InferenceJob, progress: Progress) -> Outcome:
    """Ask what the journal lacks, then write and score the predictions.

    Killed anywhere, the same command goes on behind the last journaled answer. A question that got no answer stands in
    the predictions as an error, which counts as wrong, and is asked again by the same command.

    Raises:
        DataError: an image is missing or too large; before anything is asked.
        UserError: the endpoint is of no use, or the budget is spent: what was answered is kept.
    """
    with ResponseJournal(job.files.journal, job.settings, Answer) as journal:
        failures = ask(job, journal, progress)
        endpoint = job.config.evaluation.endpoint
        cost = None if endpoint.base_url is None else cost_of(endpoint, journal.responses.values())
        _refuse_open(job, journal, failures, cost)
        answers = {question.index: (journal.responses | failures)[question.index] for question in job.questions}
    scores = judge_answers(job.suite, job.questions, answers, job.files, job.config, progress)
    answered = Answers(job.questions, answers, scores)
    return write_output(job.files, answered, job.config, bench=job.bench, suite=job.suite, data=job.data, cost=cost)


def ask(job: InferenceJob, journal: Journal, progress: Progress) -> dict[int, Failure]:
    """Ask every open question as far as the budget goes; return why questions got no answer, by their index."""
    open_ = [question for question in job.questions if question.index not in journal.responses]
    if not open_:
        return {}
    progress.phase("images")
    unreadable = find_unreadable([question.sample for question in open_], job.config)
    failures = {q.index: unreadable[q.sample.id] for q in open_ if q.sample.id in unreadable}
    open_ = [question for question in open_ if question.index not in failures]
    if not open_:
        return failures

    def receive(question: Question, answer: Answer | Failure) -> None:
        if isinstance(answer, Failure):
            failures[question.index] = answer
            progress.message(f"{question.sample.id} has no answer: {answer.message}")
        else:
            journal.append(question.index, answer)
        progress.advance()

    with answering(job.config, journal.responses.values(), progress) as answerer:
        progress.phase("responses", len(job.questions))
        progress.advance(len(job.questions) - len(open_))
        answerer.answer(open_, receive)
    return failures


def _refuse_open(job: InferenceJob, journal: Journal, failures: dict[int, Failure], cost: float | None) -> None:
    """A budget that is spent leaves questions without any answer: half a benchmark is not scored."""
    num_open = sum(q.index not in journal.responses and q.index not in failures for q in job.questions)
    if not num_open:
        return
    caps = job.config.evaluation.endpoint
    name = "max_requests" if caps.max_cost is None else "max_cost"
    rule = f"is spent (cost {cost or 0:g}), {num_open:,} of {len(job.questions):,} questions are open"
    fix = "Raise it and run the same command again: it continues."
    raise UserError(f"evaluation.endpoint.{name}", getattr(caps, name), rule=rule, fix=fix)
