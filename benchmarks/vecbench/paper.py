"""The `paper` protocol: how the tables of arXiv 2512.15528 were formed."""

from dataclasses import replace

import numpy as np

from emocal_rl.benchmarks.vecbench.judgement import INFERENCE_ERROR
from emocal_rl.benchmarks.vecbench.metrics import brier_score, expected_calibration_error, roc_auc
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes
from emocal_rl.benchmarks.vecbench.table_report import TableReport, TableRow
from emocal_rl.benchmarks.vecbench.tasks import group_of_task


def paper_report(outcomes: Outcomes) -> TableReport:
    """Score outcomes as `judge` read them: F1 is weighted, as the published numbers are, not macro, as the text says.

    A group's accuracy and F1 are the means of its tasks', its ECE (10 bins), Brier and AUC are over its samples pooled;
    overall is the mean of the groups. Failed inferences, of which the paper says nothing, are left out.
    """
    answered = outcomes.where(~outcomes.failed)
    tasks = {task: TableRow.of(part) for task, part in answered.by_task().items()}
    groups = {group: _group_row(group, part, tasks) for group, part in answered.by_group().items()}
    overall = TableRow.mean(list((groups or tasks).values()))
    num_failed = int(outcomes.failed.sum())
    return TableReport("paper", tasks, groups, overall, {INFERENCE_ERROR: num_failed} if num_failed else {})


def _group_row(group: str, outcomes: Outcomes, tasks: dict[str, TableRow]) -> TableRow:
    row = TableRow.mean([row for task, row in tasks.items() if group_of_task(task) == group])
    stated = outcomes.where(outcomes.stated)
    if not len(stated):
        return row
    confidence, correct = stated.confidence, stated.correct.astype(np.float64)
    ece = expected_calibration_error(confidence, correct)
    return replace(row, ece=ece, brier=brier_score(confidence, correct), auc=roc_auc(confidence, correct))
