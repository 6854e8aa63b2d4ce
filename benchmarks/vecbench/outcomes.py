"""Predictions as one protocol reads them, column by column: what metrics and resampling work on."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from emocal_rl.benchmarks.vecbench.judgement import INFERENCE_ERROR, Judgement
from emocal_rl.benchmarks.vecbench.tasks import GROUPS, group_of_task, natural_order

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """One row per sample, each array (n,).

    `task` holds codes into `tasks`; `label` and `answer` into `names`, an answer that names no label being -1;
    `problem` into `problems`, -1 where a confidence is stated. `confidence` is NaN where none is.
    """

    tasks: tuple[str, ...]
    names: tuple[str, ...]
    problems: tuple[str, ...]
    task: IntArray
    label: IntArray
    answer: IntArray
    problem: IntArray
    confidence: FloatArray

    def __len__(self) -> int:
        return len(self.task)

    @cached_property
    def correct(self) -> BoolArray:
        """Whether the answer is the label; a failed inference is wrong."""
        return np.equal(self.answer, self.label)

    @cached_property
    def stated(self) -> BoolArray:
        """Whether there is a confidence to hold against the outcome."""
        return self.problem < 0

    @cached_property
    def failed(self) -> BoolArray:
        """Whether inference failed."""
        return self.having(INFERENCE_ERROR)

    def having(self, problem: str) -> BoolArray:
        """Return where the confidence has this problem."""
        return np.equal(self.problem, self.problems.index(problem) if problem in self.problems else len(self.problems))

    def where(self, kept: BoolArray) -> "Outcomes":
        """Return the rows of a mask; the codes stay."""
        return self.take(np.flatnonzero(kept))

    def take(self, rows: npt.NDArray[np.intp]) -> "Outcomes":
        """Return rows by their numbers, in that order; the codes stay."""
        columns = ("task", "label", "answer", "problem", "confidence")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})

    def by_task(self) -> dict[str, "Outcomes"]:
        """Return the rows of every task that occurs, in natural order of their names."""
        present = {self.tasks[code]: code for code in np.unique(self.task)}
        return {name: self.where(self.task == present[name]) for name in sorted(present, key=natural_order)}

    def by_group(self) -> dict[str, "Outcomes"]:
        """Return the rows of every group of tasks that occurs."""
        number = np.array([_group_number(task) for task in self.tasks], dtype=np.int32)[self.task]
        masks = {name: number == code for code, name in enumerate(GROUPS)}
        return {name: self.where(mask) for name, mask in masks.items() if mask.any()}

    def num_problems(self) -> dict[str, int]:
        """Return how many rows lack a confidence, by the reason."""
        counts = np.bincount(self.problem[~self.stated], minlength=len(self.problems))
        return dict(sorted((name, int(n)) for name, n in zip(self.problems, counts, strict=True) if n))


def _group_number(task: str) -> int:
    group = group_of_task(task)
    return -1 if group is None else GROUPS.index(group)


class OutcomesBuilder:
    """Collects judgements row by row; a million of them take tens of megabytes."""

    def __init__(self) -> None:
        self._codes: tuple[dict[str, int], ...] = ({}, {}, {})
        self._task, self._label, self._answer, self._problem = (array("i") for _ in range(4))
        self._confidence = array("d")

    def add(self, judgement: Judgement) -> None:
        """Append one row."""
        tasks, names, problems = self._codes
        answer, problem = judgement.answer, judgement.confidence_problem
        self._task.append(tasks.setdefault(judgement.task, len(tasks)))
        self._label.append(names.setdefault(judgement.label, len(names)))
        self._answer.append(-1 if answer is None else names.setdefault(answer, len(names)))
        self._problem.append(-1 if problem is None else problems.setdefault(problem, len(problems)))
        self._confidence.append(float("nan") if judgement.confidence is None else judgement.confidence)

    def build(self) -> Outcomes:
        """Return the rows so far."""
        tasks, names, problems = (tuple(known) for known in self._codes)
        task, label, answer, problem = (
            np.array(column, dtype=np.int32) for column in (self._task, self._label, self._answer, self._problem)
        )
        confidence = np.array(self._confidence, dtype=np.float64)
        return Outcomes(tasks, names, problems, task, label, answer, problem, confidence)


def collect(judgements: Iterable[Judgement]) -> Outcomes:
    """Return judgements as columns, in their order."""
    builder = OutcomesBuilder()
    for judgement in judgements:
        builder.add(judgement)
    return builder.build()


def concatenate(parts: Sequence[Outcomes]) -> Outcomes:
    """Return the rows of all parts, whose codes may differ, in their order; there is at least one part."""
    tasks, (task,) = _recoded(parts, "tasks", "task")
    names, (label, answer) = _recoded(parts, "names", "label", "answer")
    problems, (problem,) = _recoded(parts, "problems", "problem")
    confidence = np.concatenate([part.confidence for part in parts])
    return Outcomes(tasks, names, problems, task, label, answer, problem, confidence)


def _recoded(parts: Sequence[Outcomes], vocabulary: str, *columns: str) -> tuple[tuple[str, ...], list[IntArray]]:
    """Return one vocabulary for all parts, and their columns in its codes."""
    known: dict[str, int] = {}
    maps = []
    for part in parts:
        codes = [known.setdefault(name, len(known)) for name in getattr(part, vocabulary)]
        maps.append(np.array([*codes, -1], dtype=np.int32))  # a column's -1 is the last entry of its map
    pairs = list(zip(maps, parts, strict=True))
    return tuple(known), [np.concatenate([codes[getattr(part, column)] for codes, part in pairs]) for column in columns]
