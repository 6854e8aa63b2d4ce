"""The `official` protocol: the numbers of the paper's released evaluator, its traps included.

Written from its measured behaviour. Nothing here is how one should score; `strict` is.
"""

import math
from dataclasses import replace

import numpy as np

from emocal_rl.benchmarks.vecbench.judgement import INFERENCE_ERROR, Judgement
from emocal_rl.benchmarks.vecbench.metrics import brier_score
from emocal_rl.benchmarks.vecbench.official_metrics import curve_area, open_bin_error, weighted_f1
from emocal_rl.benchmarks.vecbench.outcomes import BoolArray, Outcomes
from emocal_rl.benchmarks.vecbench.table_report import TableReport, TableRow
from emocal_rl.benchmarks.vecbench.tasks import TASK_GROUPS
from emocal_rl.platform.data.vecbench import Answered, Prediction

MISSING = "missing"
NOT_A_FLOAT = "not_a_float"
UNKNOWN = "unknown"
"""What the evaluator takes for the answer where it finds no candidate: right where the label is of that name."""


def judge_official(prediction: Prediction | Answered) -> Judgement:
    """Read a prediction as for the rows of tasks and groups; its task stays as the row spells it.

    The answer is the first candidate, in list order, that is a substring of the first one-line answer part, in lower
    case; of the whole response where that part is absent or empty. White space is not empty: it names nothing. A
    confidence that is no float, braces aside, makes the problem `NOT_A_FLOAT`: such a row is dropped. Any other is
    clipped to [0, 1], NaN staying NaN.
    """
    if prediction.response is None:
        return _failed(prediction)
    searched = searched_text(prediction.response)
    answer = next((name for candidate in prediction.candidates if (name := candidate.lower()) in searched), UNKNOWN)
    return _judgement(prediction, answer, prediction.response)


def judge_official_overall(prediction: Prediction | Answered) -> Judgement:
    """Read a prediction as for the row `Overall`: the first candidate that is in the whole response in lower case.

    The label is in lower case too, candidates are as they stand: one with a capital is never found.
    """
    if prediction.response is None:
        return _failed(prediction)
    response = prediction.response.lower()
    answer = next((candidate for candidate in prediction.candidates if candidate in response), UNKNOWN)
    return _judgement(prediction, answer, prediction.response)


def is_known_task(task: str) -> bool:
    """Whether the evaluator has a row and a group for a task: it knows the nine by exactly these names.

    A synthetic mirror, which it has never met, counts as the task that it mirrors.
    """
    return task.removeprefix("Synth") in TASK_GROUPS


def searched_text(response: str) -> str:
    """Return where candidates are looked for, in lower case: the first one-line answer part, or else all."""
    lowered = response.lower()
    return first_content(lowered, "answer") or lowered


def first_content(text: str, name: str) -> str | None:
    """Return what `<name>(.*?)</name>` finds first, its dot not matching a newline; in linear time."""
    opening, closing = f"<{name}>", f"</{name}>"
    start, end = text.find(opening), -1
    while start >= 0:
        start += len(opening)
        if end < start and (end := text.find(closing, start)) < 0:
            return None
        newline = text.find("\n", start, end)
        if newline < 0:
            return text[start:end]
        start = text.find(opening, newline)
    return None


def read_float(response: str) -> tuple[float | None, str | None]:
    """Return (the stated confidence, not yet clipped, None) or (None, `MISSING` or `NOT_A_FLOAT`)."""
    content = first_content(response, "confidence")
    if content is None:
        return None, MISSING
    try:
        return float(content.replace("{", "").replace("}", "")), None
    except ValueError:
        return None, NOT_A_FLOAT


def _failed(prediction: Prediction | Answered) -> Judgement:
    return Judgement(prediction.task, prediction.label.lower(), None, None, INFERENCE_ERROR)


def _judgement(prediction: Prediction | Answered, answer: str, response: str) -> Judgement:
    value, problem = read_float(response)
    clipped = value if value is None or math.isnan(value) else min(max(value, 0.0), 1.0)
    return Judgement(prediction.task, prediction.label.lower(), answer, clipped, problem)


def official_report(outcomes: Outcomes, overall: Outcomes) -> TableReport:
    """Score the readings of `judge_official` and, for `Overall`, `judge_official_overall`, as for `metric_conf.log`.

    Failed inferences and dropped rows are in no denominator; rows without a confidence are in none of their group's but
    F1's and the number of samples.
    """
    report = official_answers(outcomes.where(_undropped(outcomes)), overall.where(_undropped(outcomes)))
    left = outcomes.where(_undropped(outcomes) & ~outcomes.failed & _of_known_task(outcomes))
    problems = outcomes.num_problems()
    return replace(
        report,
        groups={group: _group_row(part) for group, part in left.by_group().items()},
        left_out={name: problems[name] for name in (INFERENCE_ERROR, NOT_A_FLOAT) if name in problems},
    )


def official_answers(outcomes: Outcomes, overall: Outcomes) -> TableReport:
    """Score answers alone, as for `metric.log`, which is made before confidences are read: it has all rows answered."""
    answered = ~outcomes.failed
    tasks = {task: _row(part) for task, part in outcomes.where(answered).by_task().items()}
    num_failed = int(outcomes.failed.sum())
    left_out = {INFERENCE_ERROR: num_failed} if num_failed else {}
    return TableReport("official", tasks, {}, _row(overall.where(answered)), left_out)


def _undropped(outcomes: Outcomes) -> BoolArray:
    return ~outcomes.having(NOT_A_FLOAT)


def _of_known_task(outcomes: Outcomes) -> BoolArray:
    known: BoolArray = np.array([is_known_task(task) for task in outcomes.tasks], dtype=np.bool_)[outcomes.task]
    return known


def _row(outcomes: Outcomes) -> TableRow:
    row = TableRow.of(outcomes)
    return replace(row, f1=weighted_f1(outcomes)) if len(outcomes) else row


def _group_row(outcomes: Outcomes) -> TableRow:
    """Return a group's row: F1 of all its samples, the rest of those that state a confidence.

    Where no sample does, the evaluator crashes; here that row has no accuracy.
    """
    stated = outcomes.where(outcomes.stated)
    row = replace(_row(outcomes), accuracy=TableRow.of(stated).accuracy)
    if not len(stated):
        return row
    confidence, correct = stated.confidence, stated.correct.astype(np.float64)
    row = replace(row, ece=open_bin_error(confidence, correct))
    if np.isnan(confidence).any():
        return row
    return replace(row, brier=brier_score(confidence, correct), auc=curve_area(confidence, correct))
