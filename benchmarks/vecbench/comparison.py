"""The paper's Tables 2-6 with rows of ours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from emocal_rl.benchmarks.statistics.interval_table import IntervalTable, interval_table
from emocal_rl.benchmarks.vecbench.judgement import Judgement, elicited, judge
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes, collect
from emocal_rl.benchmarks.vecbench.prediction_sets import Elicited, PredictionSet
from emocal_rl.benchmarks.vecbench.published import AVERAGE, PublishedRow, PublishedTable, published_table
from emocal_rl.benchmarks.vecbench.strict import ProtocolReport, strict_report
from emocal_rl.benchmarks.vecbench.tasks import TASK_GROUPS
from emocal_rl.platform.emotions.taxonomy import canonical_task
from emocal_rl.platform.errors import UserError
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.report.results.table import Cell, Column, ResultRow, ResultTable

_TITLES = {"accuracy": "Acc", "f1_weighted": "F1", "ece": "ECE", "brier": "Brier", "auc": "AUC"}
_LOWER_IS_BETTER = ("ece", "brier")
_SYNTHETIC = "Synth"
_VERBALISED = "Verb"
_ELICITATIONS: Mapping[str, Callable[[Elicited], float | None]] = {"Ans": lambda p: p.ans, "Avg": lambda p: p.avg}
"""How else than by its words a response tells its confidence, named as in Table 5."""
_CONFIDENCE_TABLE = 5


@dataclass(frozen=True, slots=True)
class ScoredModel:
    """One model under `strict`: a report and, if they were asked for, intervals for each repeat.

    `elicited`: the same answers with confidences by token probabilities in place of the verbalised ones, by name.
    """

    name: str
    outcomes: Sequence[Outcomes]
    reports: Sequence[ProtocolReport]
    intervals: Sequence[IntervalTable]
    elicited: Mapping[str, "ScoredModel"] = field(default_factory=dict)

    @property
    def tasks(self) -> set[str]:
        """The VECBench tasks it has, those that a synthetic world mirrors under their own names."""
        return {canonical_task(task.removeprefix(_SYNTHETIC)) for task in self.reports[0].tasks}

    @property
    def is_synthetic(self) -> bool:
        """Whether any task is of the synthetic world, whose numbers say nothing about VECBench."""
        return any(task.startswith(_SYNTHETIC) for task in self.reports[0].tasks)

    def value(self, scope: str, name: str, metric: str) -> Cell:
        """Return the mean over the repeats of a metric (percent).

        `scope` is `overall`, or `tasks`, `groups` or `group_task_means` with the `name` of one.
        """
        rows = [row for report in self.reports if (row := _lookup(report, scope, name)) is not None]
        values = [value for row in rows if (value := getattr(row, metric)) is not None]
        if not values:
            return Cell()
        tables = [_lookup(table, scope, name) or {} for table in self.intervals]
        found = [interval for table in tables if (interval := table.get(metric)) is not None]
        bounds = None
        if found:
            bounds = (
                100 * float(np.mean([interval.lower for interval in found])),
                100 * float(np.mean([interval.upper for interval in found])),
            )
        return Cell(100 * float(np.mean(values)), bounds)


def score_model(
    predictions: PredictionSet, progress: Progress, *, num_resamples: int = 0, seed: int = 0
) -> ScoredModel:
    """Score one model under `strict`, with BCa intervals where `num_resamples` is not 0."""
    judged = [[judge(prediction) for prediction in repeat] for repeat in predictions.repeats]
    by_elicitation = {}
    for name, value_of in _ELICITATIONS.items():
        instead = [
            [
                elicited(judgement, value_of(prediction) if isinstance(prediction, Elicited) else None)
                for prediction, judgement in zip(*pair, strict=True)
            ]
            for pair in zip(predictions.repeats, judged, strict=True)
        ]
        if any(judgement.confidence is not None for repeat in instead for judgement in repeat):
            by_elicitation[name] = _score(f"{predictions.name}, {name}", instead, progress, num_resamples, seed)
    return replace(_score(predictions.name, judged, progress, num_resamples, seed), elicited=by_elicitation)


def _score(
    name: str, judged: Sequence[Sequence[Judgement]], progress: Progress, num_resamples: int, seed: int
) -> ScoredModel:
    outcomes = [collect(repeat) for repeat in judged]
    intervals = []
    if num_resamples:
        progress.phase(f"resampling {name}", len(outcomes))
        for each in outcomes:
            intervals.append(interval_table(each, num_resamples=num_resamples, seed=seed))
            progress.advance()
    return ScoredModel(name, outcomes, [strict_report(each) for each in outcomes], intervals)


def compare(number: int, models: Sequence[ScoredModel], *, with_published: bool) -> ResultTable:
    """Lay out one of the paper's tables: the published rows, then ours.

    Ours are formed as the published ones are: a task's accuracy and support-weighted F1, means of tasks for averages
    and a group's accuracy, pooled ECE, Brier and AUC. A value over a part of a group's tasks is marked, not ranked.

    Raises:
        UserError: synthetic and real tasks are mixed.
    """
    table = published_table(number)
    kinds = {model.is_synthetic for model in models}
    if len(kinds) > 1:
        name = next(model.name for model in models if model.is_synthetic)
        rule = "is of the synthetic world and cannot stand beside predictions on VECBench"
        raise UserError("FILE", name, rule=rule, fix="Compare the two kinds apart.")
    with_published &= kinds != {True}
    columns = [
        Column(scope, _TITLES[metric], metric in _LOWER_IS_BETTER) for scope in table.scopes for metric in table.metrics
    ]
    rows = [_published_row(table, row) for row in table.rows] if with_published else []
    rows += [row for model in models for row in _our_rows(table, model)]
    notes = [*_our_notes(table, models), *([f"Published: {table.source}.", *table.notes] if with_published else [])]
    detail = "Confidence" if any(row.elicitation for row in table.rows) else ""
    return ResultTable(table.title, columns, rows, notes, detail)


def has_tasks(number: int, models: Sequence[ScoredModel]) -> bool:
    """Whether any model has any task of a table."""
    return any(model.tasks & _tasks_of(published_table(number)) for model in models)


def _published_row(table: PublishedTable, row: PublishedRow) -> ResultRow:
    cells = [Cell(row.values[scope][metric]) for scope in table.scopes for metric in table.metrics]
    label = f"{row.model} ({row.citation})" if row.citation else row.model
    return ResultRow(label, cells, row.elicitation or "", row.section or "Published")


def _our_rows(table: PublishedTable, model: ScoredModel) -> list[ResultRow]:
    each = {_VERBALISED: model, **model.elicited} if table.number == _CONFIDENCE_TABLE else {"": model}
    return [
        ResultRow(
            model.name,
            [_our_cell(table, scored, scope, metric) for scope in table.scopes for metric in table.metrics],
            detail,
            "Ours",
        )
        for detail, scored in each.items()
    ]


def _our_cell(table: PublishedTable, model: ScoredModel, scope: str, metric: str) -> Cell:
    if scope in TASK_GROUPS:
        return model.value("tasks", scope, metric)
    group = table.group if scope == AVERAGE else scope
    assert group is not None
    pooled = metric not in ("accuracy", "f1_weighted")
    cell = model.value("groups" if pooled else "group_task_means", group, metric)
    missing = {task for task, of in TASK_GROUPS.items() if of == group} - model.tasks
    return Cell(cell.value, cell.interval, is_partial=bool(missing) and cell.value is not None)


def _our_notes(table: PublishedTable, models: Sequence[ScoredModel]) -> list[str]:
    notes = ["Ours: percent, failed inferences counted as wrong."]
    if any(model.is_synthetic for model in models):
        notes.append(
            "The tasks are SynthVEC's mirrors of the ones named: nothing here compares with published numbers."
        )
    if any(model.intervals for model in models):
        level = round(100 * next(model.intervals[0].level for model in models if model.intervals))
        notes.append(
            f"Intervals: {level} % BCa bootstrap over samples (basic where too biased for it), stratified by task."
        )
    if any(len(model.reports) > 1 for model in models):
        counts = ", ".join(f"{model.name} {len(model.reports)}" for model in models if len(model.reports) > 1)
        notes.append(f"Values and bounds are means over repeats ({counts}).")
    for model in models:
        if missing := sorted(_tasks_of(table) - model.tasks):
            notes.append(f"† {model.name} lacks {', '.join(missing)}: a value over the tasks it has is not ranked.")
    return notes


def _tasks_of(table: PublishedTable) -> set[str]:
    groups = {table.group} if table.group else set(table.scopes)
    return {task for task, group in TASK_GROUPS.items() if group in groups}


def _lookup(report: ProtocolReport | IntervalTable, scope: str, name: str) -> Any:
    """Return a row; a synthetic task stands under the name of the one it mirrors."""
    rows = getattr(report, scope)
    return rows if scope == "overall" else rows.get(name, rows.get(f"{_SYNTHETIC}{name}"))
