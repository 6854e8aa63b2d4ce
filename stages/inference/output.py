"""What `eval run` leaves: predictions in VECBench format, and their scores."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emocal_rl.benchmarks.suites.suite import Scoring, Suite, SuiteAnswer, SuiteData
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.jsonl import write_jsonl
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.vecbench import PLAIN_BENCHES
from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.stages.chat.exchange import Failure
from emocal_rl.stages.inference.answer import Answer, prediction_row
from emocal_rl.stages.inference.files import InferenceFiles
from emocal_rl.stages.inference.question import Question


@dataclass(frozen=True)
class Outcome:
    """The predictions of a job, scored.

    `predictions`: paths, a file for every repeat. `scores`: the suite's report of each (VECBench: an `Evaluation`).
    `elicitation`: by name, VECBench's strict metrics of the first repeat with the confidences elicited so; only where
    the tokens of a response are known.
    `cost`: at the endpoint; None without one.
    """

    bench: str
    predictions: tuple[str, ...]
    scores: tuple[dict[str, Any], ...]
    elicitation: dict[str, dict[str, Any]]
    num_failures: int
    cost: float | None

    def to_dict(self) -> dict[str, Any]:
        """What `summary.json` holds."""
        return {
            "bench": self.bench,
            "predictions": list(self.predictions),
            "scores": list(self.scores),
            "elicitation": self.elicitation,
            "num_failures": self.num_failures,
            "cost": self.cost,
        }


@dataclass(frozen=True)
class Answers:
    """Questions, what came of each and what a judge gave it, by the question's index."""

    questions: Sequence[Question]
    answers: Mapping[int, Answer | Failure]
    judge_scores: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def of_repeat(self, repeat: int) -> list[tuple[Question, Answer | Failure]]:
        """Return the questions of one repeat, in order, with their answers."""
        return [(each, self.answers[each.index]) for each in self.questions if each.repeat == repeat]

    def scored(self, question: Question) -> SuiteAnswer:
        """Return a question's answer as a suite scores it."""
        answer = self.answers[question.index]
        if isinstance(answer, Failure):
            return SuiteAnswer(question.sample, None, answer.message)
        return SuiteAnswer(
            question.sample,
            answer.text,
            answer.error,
            answer.confidence_ans,
            answer.confidence_avg,
            answer.first_words,
            self.judge_scores.get(question.index, ()),
        )


def write_output(
    files: InferenceFiles,
    answered: Answers,
    config: Config,
    *,
    bench: str,
    suite: Suite,
    data: SuiteData,
    cost: float | None,
) -> Outcome:
    """Write predictions and summary, each file whole or not at all, rows in the order of the input.

    Args:
        files: where to write.
        answered: all of it.
        config: of the job.
        bench: the suite's name.
        suite: that scores the answers.
        data: what it asked about.
        cost: at the endpoint so far.
    """
    num_repeats, folder = config.evaluation.num_repeats, Location.parse(str(files.folder))
    paths, reports = [], []
    elicitation: dict[str, dict[str, Any]] = {}
    for repeat in range(num_repeats):
        seed = config.run.seed + repeat
        path, pairs = files.predictions(seed, num_repeats), answered.of_repeat(repeat)
        write_jsonl(str(path), (_row(bench, folder, seed, answered, *pair) for pair in pairs))
        scoring = Scoring(config.evaluation.num_bins, path.stem, _temperature(config), data.oracle)
        report = suite.report([answered.scored(question) for question, _ in pairs], scoring).to_dict()
        elicitation = elicitation or report.pop("elicitation", {})
        report.pop("elicitation", None)
        reports.append(report)
        paths.append(str(path))
    num_failures = sum(isinstance(answer, Failure) or answer.text is None for answer in answered.answers.values())
    outcome = Outcome(bench, tuple(paths), tuple(reports), elicitation, num_failures, cost)
    write_text(files.summary, json.dumps(outcome.to_dict(), indent=1) + "\n")
    return outcome


def _row(
    bench: str, folder: Location, seed: int, answered: Answers, question: Question, answer: Answer | Failure
) -> dict[str, Any]:
    row = prediction_row(folder, question.sample, seed, answer)
    if bench in PLAIN_BENCHES:
        return row
    scores = answered.judge_scores.get(question.index)
    extra = {"first_words": None if isinstance(answer, Failure) else answer.first_words, "judge_scores": scores}
    return {"bench": bench, **row, **{key: value for key, value in extra.items() if value is not None}}


def _temperature(config: Config) -> float:
    endpoint = config.evaluation.endpoint
    if endpoint.base_url is None:
        return config.evaluation.sampling.temperature
    return 1.0 if endpoint.temperature is None else endpoint.temperature
