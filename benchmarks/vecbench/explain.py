"""Where the protocols read the same response differently, and why."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from math import isnan
from typing import Any

from emocal_rl.benchmarks.vecbench.judgement import INFERENCE_ERROR, Judgement
from emocal_rl.benchmarks.vecbench.official import (
    MISSING,
    NOT_A_FLOAT,
    UNKNOWN,
    first_content,
    is_known_task,
    read_float,
    searched_text,
)
from emocal_rl.benchmarks.vecbench.official_metrics import OPEN_EDGES
from emocal_rl.benchmarks.vecbench.tasks import group_of_task
from emocal_rl.platform.data.jsonl import jsonl_line
from emocal_rl.platform.data.output import writing
from emocal_rl.platform.data.vecbench import Answered
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_question

REASONS: Mapping[str, str] = {
    INFERENCE_ERROR: "failed inference: wrong under strict, in no denominator of paper and official",
    "task_name": "another spelling of a task's name: official has the row in Overall, in none of its tasks and groups",
    "dropped_row": "the confidence is no float: official drops the row from everything but metric.log",
    "substring": "official finds a candidate inside the answer, strict wants the whole answer to be one",
    "whole_response": "no answer part on one line, or an empty one: official searches the whole response",
    "tag_case": "an answer tag with capitals: official reads it as one, strict does not",
    "first_part": "several answer tags: official takes the first part, strict none",
    "spelling": "another spelling of the label, or a line break in the part: strict takes it, official does not",
    "unknown_label": "official takes `unknown`, which is a label here, for an answer that it cannot find",
    "label_spelling": "the row spells its label otherwise than its candidates: official holds no answer for right",
    "overall_parser": "official reads another answer for its row Overall: the first candidate in the response",
    "no_confidence": "official finds no confidence part: the row leaves its group's accuracy, ECE, Brier and AUC",
    "clipped": "a confidence outside [0, 1]: official clips it, strict refuses it",
    "nan": "official keeps NaN, and its log has no ECE, Brier and AUC for the group; strict refuses it",
    "number_format": "a number that strict does not take for a plain decimal, official does (braces, 1e-1, +0.5)",
    "first_confidence": "several confidence tags: official takes the first part, strict none",
    "two_lines": "the confidence part spans lines: strict reads it, official does not",
    "no_bin": "official's last bin is open: a confidence of 1.0 is in none, so its error is not counted",
    "lower_bin": "official's float edges put the confidence one bin low",
}
"""Every reason for a disagreement, in a sentence."""

_NUM_BINS = 10
_DECIMAL_EDGES = [number / _NUM_BINS for number in range(_NUM_BINS + 1)]


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer as a protocol reads it."""

    answer: str | None
    correct: bool
    confidence: float | None
    confidence_problem: str | None

    @classmethod
    def of(cls, judgement: Judgement) -> "Reading":
        """Return what of a judgement is the protocol's own; NaN, which JSON has not, is None."""
        confidence = judgement.confidence
        stated = None if confidence is None or isnan(confidence) else confidence
        return cls(judgement.answer, judgement.correct, stated, judgement.confidence_problem)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One row that the protocols count differently, `paper` reading it as `strict` does; `reasons` are of `REASONS`."""

    source: str
    line: int
    id: str
    task: str
    label: str
    strict: Reading
    official: Reading
    official_overall: Reading
    reasons: tuple[str, ...]


def explain(
    answered: Answered, strict: Judgement, official: Judgement, official_overall: Judgement
) -> Disagreement | None:
    """Return how the readings of one row differ, or None where they do not."""
    reasons = tuple(_reasons(answered, strict, official, official_overall))
    if not reasons:
        return None
    return Disagreement(
        answered.source,
        answered.line,
        answered.id,
        strict.task,
        strict.label,
        Reading.of(strict),
        Reading.of(official),
        Reading.of(official_overall),
        reasons,
    )


def _reasons(answered: Answered, strict: Judgement, official: Judgement, overall: Judgement) -> Iterable[str]:
    if answered.response is None:
        yield INFERENCE_ERROR
        return
    taxonomy = taxonomy_of_question(answered.task, answered.candidates)
    named, named_overall = (
        None if reading.answer is None else taxonomy.resolve(reading.answer) for reading in (official, overall)
    )
    if group_of_task(answered.task) and not is_known_task(answered.task):
        yield "task_name"
    if dropped := official.confidence_problem == NOT_A_FLOAT:
        yield "dropped_row"
    if named != strict.answer:
        yield _answer_reason(answered.response, strict, official)
    elif official.correct != strict.correct:
        yield "label_spelling"
    if named_overall != named or overall.correct != official.correct:
        yield "overall_parser"
    if not dropped:
        yield from _confidence_reasons(answered.response, strict, official)


def _answer_reason(response: str, strict: Judgement, official: Judgement) -> str:
    part = first_content(response.lower(), "answer") or ""
    if part != (first_content(response, "answer") or "").lower():
        return "tag_case"
    if official.answer == UNKNOWN and UNKNOWN not in searched_text(response):
        return "unknown_label" if strict.answer is None else "spelling"
    if not part:
        return "whole_response"
    several = response.count("<answer>") > 1 or response.count("</answer>") > 1
    return "first_part" if several and strict.answer is None else "substring"


def _confidence_reasons(response: str, strict: Judgement, official: Judgement) -> Iterable[str]:
    value, problem = official.confidence, strict.confidence_problem
    if value is None:
        assert official.confidence_problem == MISSING
        yield "no_confidence" if problem else "two_lines"
        return
    if problem == "duplicated":
        yield "first_confidence"
    if isnan(value):
        yield "nan"
        return
    stated, _ = read_float(response)
    if stated != value:
        yield "clipped"
    elif problem and problem != "duplicated":
        yield "number_format"
    place = bisect_right(OPEN_EDGES, value) - 1
    if place == _NUM_BINS:
        yield "no_bin"
    elif place < min(bisect_right(_DECIMAL_EDGES, value) - 1, _NUM_BINS - 1):
        yield "lower_bin"


@dataclass
class Explanation:
    """All disagreements of a set of predictions: how many, and the first few for each reason."""

    examples_per_reason: int = 2
    num_rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[Disagreement] = field(default_factory=list)
    _shown: Counter[str] = field(default_factory=Counter)

    def add(self, disagreements: Iterable[Disagreement]) -> None:
        """Count them, and keep those that are among the first for one of their reasons."""
        for disagreement in disagreements:
            self.num_rows += 1
            self.counts.update(disagreement.reasons)
            if any(self._shown[reason] < self.examples_per_reason for reason in disagreement.reasons):
                self.examples.append(disagreement)
                self._shown.update(disagreement.reasons)

    @contextmanager
    def writing(self, url: str) -> Iterator[Callable[[Iterable[Disagreement]], None]]:
        """Yield `add`, which then also writes every disagreement as a line of a JSONL file."""
        with writing(url) as file:

            def add(disagreements: Iterable[Disagreement]) -> None:
                self.add(disagreements)
                file.writelines(jsonl_line(asdict(disagreement)) for disagreement in disagreements)

            yield add

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, ready for JSON; reasons in the order of `REASONS`."""
        reasons = {
            name: {"count": self.counts[name], "meaning": meaning}
            for name, meaning in REASONS.items()
            if self.counts[name]
        }
        return {"num_rows": self.num_rows, "reasons": reasons, "examples": [asdict(row) for row in self.examples]}
