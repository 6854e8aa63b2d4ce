"""The `official` protocol: the numbers of the paper's released evaluator, its traps included.

Written from its measured behaviour. Nothing here is how one should score; `strict` is.
"""

import math
from dataclasses import replace

import numpy as np

from emocal_rl.benchmarks.vecbench.judgement import INFERENCE_ERROR, Judgement
from emocal_rl.benchmarks.vecbench.metrics import FloatArray, brier_score, roc_auc
from emocal_rl.benchmarks.vecbench.outcomes import BoolArray, Outcomes
from emocal_rl.benchmarks.vecbench.table_report import TableReport, TableRow
from emocal_rl.platform.data.vecbench import Answered, Prediction
from emocal_rl.platform.emotions.taxonomy import canonical_task

MISSING = "missing"
NOT_A_FLOAT = "not_a_float"
OPEN_EDGES: tuple[float, ...] = tuple(np.linspace(0.0, 1.0, 11).tolist())
"""Edges of the bins of the released ECE, whose .3, .6 and .7 are a float too high."""


def judge_official(prediction: Prediction | Answered) -> Judgement:
    """Read a prediction as for the rows of tasks and groups.

    The answer is the first candidate, in list order, that is a substring of the first one-line answer part, in lower
    case; of the whole response where that part is absent or empty. White space is not empty: it names nothing. A
    confidence that is no float, braces aside, makes the problem `NOT_A_FLOAT`: such a row is dropped. Any other is
    clipped to [0, 1], NaN staying NaN.
    """
    task, label = canonical_task(prediction.task), prediction.label.lower()
    if prediction.response is None:
        return Judgement(task, label, None, None, INFERENCE_ERROR)
    response = prediction.response.lower()
    searched = first_content(response, "answer") or response
    answer = next((name for candidate in prediction.candidates if (name := candidate.lower()) in searched), None)
    return Judgement(task, label, answer, *_read_confidence(prediction.response))


def judge_official_overall(prediction: Prediction | Answered) -> Judgement:
    """Read a prediction as for the row `Overall`: the first candidate that is in the whole response in lower case.

    The label is in lower case too, candidates are as they stand: one with a capital is never found.
    """
    task, label = canonical_task(prediction.task), prediction.label.lower()
    if prediction.response is None:
        return Judgement(task, label, None, None, INFERENCE_ERROR)
    response = prediction.response.lower()
    answer = next((candidate for candidate in prediction.candidates if candidate in response), None)
    return Judgement(task, label, answer, *_read_confidence(prediction.response))


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


def _read_confidence(response: str) -> tuple[float | None, str | None]:
    content = first_content(response, "confidence")
    if content is None:
        return None, MISSING
    try:
        value = float(content.replace("{", "").replace("}", ""))
    except ValueError:
        return None, NOT_A_FLOAT
    return (value if math.isnan(value) else min(max(value, 0.0), 1.0)), None


def official_report(outcomes: Outcomes, overall: Outcomes) -> TableReport:
    """Score the readings of `judge_official` and, for `Overall`, `judge_official_overall`, as for `metric_conf.log`.

    Failed inferences and dropped rows are in no denominator; rows without a confidence are in none of their group's but
    F1's and the number of samples.
    """
    report = official_answers(outcomes.where(_undropped(outcomes)), overall.where(_undropped(outcomes)))
    left = outcomes.where(_undropped(outcomes) & ~outcomes.failed)
    problems = outcomes.num_problems()
    return replace(
        report,
        groups={group: _group_row(part) for group, part in left.by_group().items()},
        left_out={name: problems[name] for name in (INFERENCE_ERROR, NOT_A_FLOAT) if name in problems},
    )


def official_answers(outcomes: Outcomes, overall: Outcomes) -> TableReport:
    """Score answers alone, as for `metric.log`, which is made before confidences are read: it has all rows answered."""
    answered = ~outcomes.failed
    tasks = {task: TableRow.of(part) for task, part in outcomes.where(answered).by_task().items()}
    num_failed = int(outcomes.failed.sum())
    left_out = {INFERENCE_ERROR: num_failed} if num_failed else {}
    return TableReport("official", tasks, {}, TableRow.of(overall.where(answered)), left_out)


def _undropped(outcomes: Outcomes) -> BoolArray:
    return ~outcomes.having(NOT_A_FLOAT)


def _group_row(outcomes: Outcomes) -> TableRow:
    """Return a group's row: F1 of all its samples, the rest of those that state a confidence.

    Where no sample does, the evaluator crashes; here that row has no accuracy.
    """
    stated = outcomes.where(outcomes.stated)
    row = replace(TableRow.of(outcomes), accuracy=TableRow.of(stated).accuracy)
    if not len(stated):
        return row
    confidence, correct = stated.confidence, stated.correct.astype(np.float64)
    row = replace(row, ece=open_bin_error(confidence, correct))
    if np.isnan(confidence).any():
        return row
    return replace(row, brier=brier_score(confidence, correct), auc=roc_auc(confidence, correct))


def open_bin_error(confidence: FloatArray, correct: FloatArray) -> float:
    """Return the released ECE: 10 bins [lower, upper) between `OPEN_EDGES`, so that .3, .6 and .7 are one bin low.

    A confidence of 1.0 or NaN is in no bin, yet in the denominator. (n,) arrays, n > 0.
    """
    place, total = np.searchsorted(OPEN_EDGES, confidence, side="right") - 1, 0.0
    for number in np.unique(place[place < len(OPEN_EDGES) - 1]):  # in this order of operations ties round as theirs do
        inside = place == number
        total += float(abs(correct[inside].mean() - confidence[inside].mean()) * inside.mean())
    return total
