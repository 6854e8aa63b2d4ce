"""What the runs of an ablation have left, read back for its tables and pictures: also of one that is not finished."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emocal_rl.benchmarks.vecbench.judgement import judge
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes, collect
from emocal_rl.platform.data.vecbench import Prediction, read_predictions
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import read_journal
from emocal_rl.stages.ablation.journal import AblationJournal, RunState


@dataclass(frozen=True, eq=False)
class Measured:
    """A model's answers to the test set under one seed. `ids` name the samples, in the outcomes' order."""

    seed: int
    predictions: Sequence[Prediction]
    outcomes: Outcomes
    figures: Mapping[str, Any]

    @property
    def ids(self) -> list[str]:
        """The samples."""
        return [prediction.id for prediction in self.predictions]


@dataclass(frozen=True, eq=False)
class CellResult:
    """What is known of a cell: its finished runs before and after, every run's course of training, and the audit's.

    `before` and `after` are of the same seeds, in the same order.
    """

    number: int
    name: str
    audit: str
    prediction: Mapping[str, Any] | None
    runs: Sequence[RunState]
    before: Sequence[Measured] = ()
    after: Sequence[Measured] = ()
    courses: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def measure(journal: AblationJournal) -> list[CellResult]:
    """Read every cell."""
    runs = journal.runs()
    return [_read_cell(journal, cell, [run for run in runs if run.cell == cell["number"]]) for cell in journal.cells]


def starting_model(cells: Sequence[CellResult]) -> list[Measured]:
    """Return what the model that the cells start from answered, once for each seed that a finished run has."""
    by_seed = {each.seed: each for cell in cells for each in cell.before}
    return [by_seed[seed] for seed in sorted(by_seed)]


def read_evaluation(run: Path, name: str) -> dict[str, Any] | None:
    """Read the figures of one evaluation of a run; None where it is not there."""
    file = run / "eval" / f"{name}.json"
    figures: dict[str, Any] | None = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    return figures


def _read_cell(journal: AblationJournal, cell: Mapping[str, Any], runs: Sequence[RunState]) -> CellResult:
    before, after, courses = [], [], {}
    for run in runs:
        path = journal.directory / run.run
        pair = [_read_answers(path, run.seed, f"{moment}_sampled") for moment in ("before", "after")]
        if run.state == "finished" and pair[0] is not None and pair[1] is not None:
            before.append(pair[0])
            after.append(pair[1])
        if rows := list(read_journal(RunDirectory(path), "train")):
            courses[run.seed] = rows
    return CellResult(
        cell["number"], cell["name"], cell["audit"], cell["prediction"], runs, before, after, courses
    )  # fmt: skip


def _read_answers(run: Path, seed: int, name: str) -> Measured | None:
    figures, answers = read_evaluation(run, name), run / "eval" / f"{name}.jsonl"
    if figures is None or not answers.is_file():
        return None
    predictions = list(read_predictions(str(answers)))
    return Measured(seed, predictions, collect(map(judge, predictions)), figures)
