"""What a benchmark is to `eval run` and `eval score`: questions, and figures of what was answered."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.errors import DataError

if TYPE_CHECKING:  # reading a file of answers needs none of them
    from emocal_rl.benchmarks.synthvec.oracle import Oracle
    from emocal_rl.platform.config.stages import PromptName
    from emocal_rl.platform.config.tree import Config

_STATED_TOO = (
    " Reason step by step first. Write your answer, and nothing else, in <answer></answer>. Then write in "
    "<confidence></confidence> how likely it is to be right, as one number from 0 (surely wrong) to 1 (surely right)."
)


@dataclass(frozen=True)
class SuiteData:
    """All questions of a benchmark, each about a sample with an id of its own.

    A sample says all that its answer is scored by: `task` what is asked, `label` the truth, as text, `candidates`.
    `identity` names by key what else than the files given with --data the questions depend on. `oracle` is the known
    truth of a synthetic world.
    """

    samples: tuple[Sample, ...]
    identity: Mapping[str, str] = field(default_factory=dict)
    oracle: "Oracle | None" = None


@dataclass(frozen=True, slots=True)
class SuiteAnswer:
    """What came of one question. `response` is None where there is no answer: `error` says why.

    `confidence_ans` and `confidence_avg` are by token probabilities (`Answered`). `first_words` has the probabilities,
    adding up to 1, that the answer begins with each of `Suite.first_words`; None where they are not known.
    `judge_scores` is what a judge gave it, once a round.
    """

    sample: Sample
    response: str | None
    error: str | None = None
    confidence_ans: float | None = None
    confidence_avg: float | None = None
    first_words: Mapping[str, float] | None = None
    judge_scores: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Scoring:
    """How answers are scored: bins of the ECE, what they are called, how they were sampled, the known truth if any."""

    num_bins: int = 10
    name: str = ""
    temperature: float = 0.0
    oracle: "Oracle | None" = None


def refuse_strangers(answers: Sequence[SuiteAnswer], bench: str, tasks: Sequence[str]) -> None:
    """Raise where an answer is of another benchmark, whose rows would count in totals as answers that are wrong.

    Args:
        answers: of one benchmark.
        bench: its name.
        tasks: its own; of a task `kind|detail` the kind.

    Raises:
        DataError: naming file and line.
    """
    for answer in answers:
        sample = answer.sample
        if sample.task.partition("|")[0] not in tasks:
            rule = f"is no task of {bench} ({', '.join(tasks)})"
            fix = "Score the files of each benchmark apart."
            raise DataError(f"{sample.source}:{sample.line} task", sample.task, rule=rule, fix=fix)


class Report(Protocol):
    """Figures of a set of answers."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, ready for JSON."""


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """Figures in tables: by title and row, a value for each metric; None where it is undefined.

    Floats are shares of 1 (correlations from -1), which the command line prints times 100; integers are counts.
    `notes` say how they are defined. `num_errors`: questions without an answer, which count as wrong.
    """

    tables: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    num_samples: int
    num_errors: int
    notes: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


class Suite(ABC):
    """A benchmark. Scoring needs the answers alone, so that a file of them is scored as `eval run` does."""

    ending: ClassVar[str] = ""
    """What follows every question, unless it asks for a confidence too."""

    @abstractmethod
    def read(self, files: Sequence[str], config: "Config") -> SuiteData:
        """Return the questions that the files given with --data hold.

        Raises:
            UserError: a file or row is not as it should be, by file, row and key.
        """

    @abstractmethod
    def report(self, answers: Sequence[SuiteAnswer], scoring: Scoring) -> Report:
        """Score answers; there is at least one."""

    def ask(self, sample: Sample, prompt: "PromptName") -> Sample:
        """Return the sample with its question as `evaluation.prompt` wants it: with a confidence, or as it is."""
        if self.first_words(sample):
            return sample
        ending = _STATED_TOO if prompt == "zero-shot-confidence" else self.ending
        return replace(sample, question=sample.question + ending)

    def first_words(self, sample: Sample) -> tuple[str, ...]:  # noqa: ARG002 - for suites that have some
        """Return the words of which the answer's first is one, where their probabilities are asked for: here none."""
        return ()

    def judge_question(self, answer: SuiteAnswer) -> str | None:  # noqa: ARG002 - for suites that have one
        """Return what a judge is asked about an answer, who replies with a score 0, 1 or 2; None for no judging."""
        return None
