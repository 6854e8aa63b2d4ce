"""What `eval run` leaves: predictions in VECBench format, and their scores."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.benchmarks.vecbench.reading import ELICITATIONS
from emocal_rl.benchmarks.vecbench.scoring import score_files
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.jsonl import write_jsonl
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.stages.chat.exchange import Failure
from emocal_rl.stages.evaluation import score
from emocal_rl.stages.inference.answer import Answer, prediction_row
from emocal_rl.stages.inference.files import InferenceFiles
from emocal_rl.stages.inference.question import Question


@dataclass(frozen=True)
class Outcome:
    """The predictions of a job, scored.

    `predictions`: paths, a file for every repeat. `scores`: `Evaluation.to_dict()` of each. `elicitation`: by name, the
    strict metrics of the first repeat with the confidences elicited so; only where the tokens of a response are known.
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


def write_output(
    files: InferenceFiles,
    questions: Sequence[Question],
    answers: Mapping[int, Answer | Failure],
    config: Config,
    *,
    bench: str,
    oracle: Oracle | None,
    cost: float | None,
) -> Outcome:
    """Write predictions and summary, each file whole or not at all, rows in the order of the input.

    Args:
        files: where to write.
        questions: all of them.
        answers: by the question's index.
        config: of the job.
        bench: the suite's name.
        oracle: the known truth, where there is one.
        cost: at the endpoint so far.
    """
    num_repeats, temperature = config.evaluation.num_repeats, _temperature(config)
    paths, scores = [], []
    elicitation: dict[str, dict[str, Any]] = {}
    for repeat in range(num_repeats):
        asked = [question for question in questions if question.repeat == repeat]
        given = [answers[question.index] for question in asked]
        seed = config.run.seed + repeat
        path, folder = files.predictions(seed, num_repeats), Location.parse(str(files.folder))
        pairs = list(zip(asked, given, strict=True))
        write_jsonl(str(path), (prediction_row(folder, question.sample, seed, answer) for question, answer in pairs))
        predictions = [_prediction(question, answer) for question, answer in pairs]
        bins = config.evaluation.num_bins
        scores.append(score(predictions, temperature, name=path.stem, oracle=oracle, num_bins=bins).to_dict())
        elicitation = elicitation or _elicit(path, bins)
        paths.append(str(path))
    num_failures = sum(isinstance(answer, Failure) or answer.text is None for answer in answers.values())
    outcome = Outcome(bench, tuple(paths), tuple(scores), elicitation, num_failures, cost)
    write_text(files.summary, json.dumps(outcome.to_dict(), indent=1) + "\n")
    return outcome


def _temperature(config: Config) -> float:
    endpoint = config.evaluation.endpoint
    if endpoint.base_url is None:
        return config.evaluation.sampling.temperature
    return 1.0 if endpoint.temperature is None else endpoint.temperature


def _prediction(question: Question, answer: Answer | Failure) -> Prediction:
    if isinstance(answer, Failure):
        return Prediction.of(question.sample, error=answer.message)
    return Prediction.of(question.sample, response=answer.text, error=answer.error)


def _elicit(path: Path, num_bins: int) -> dict[str, dict[str, Any]]:
    reports = {}
    for name in ELICITATIONS:
        scores = score_files([str(path)], ["strict"], SilentProgress(), num_bins=num_bins, elicitation=name)
        reports[name] = scores.reports["strict"].to_dict()["overall"]
    return reports if reports["avg"]["coverage"] else {}
