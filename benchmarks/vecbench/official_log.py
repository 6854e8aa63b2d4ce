"""The two log files of the released evaluator, character by character."""

from collections.abc import Iterable
from pathlib import Path

from emocal_rl.benchmarks.vecbench.official import is_known_task, official_answers, official_report
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes
from emocal_rl.benchmarks.vecbench.table_report import TableReport, TableRow
from emocal_rl.benchmarks.vecbench.tasks import GROUPS

_NO_ROW = TableRow(None, None, None, None, None, 0)


def metric_log(report: TableReport) -> str:
    """Return `metric.log` of `official_answers`: accuracy and F1 of the tasks and overall, in percent."""
    head = f"| {'Task':<15} | {'Acc':<8} | {'F1':<8} | {'#Samples':<9} |"
    sections = [[_line(name, row, ()) for name, row in rows] for rows in (_tasks(report), [_overall(report)])]
    return _framed(head, sections)


def metric_conf_log(report: TableReport) -> str:
    """Return `metric_conf.log` of `official_report`: the same, and ECE, Brier and AUC of all three groups.

    Where one of these is undefined (the AUC of a group all right or all wrong, or with a NaN) all three are N/A.
    """
    scores = f"{'Acc':<6} | {'F1':<6} | {'ECE':<8} | {'Brier':<10} | {'ROC AUC':<10}"
    head = f"| {'Task/Group':<15} | {scores} | {'#Samples':<9} |"
    sections = [
        [_line(name, row, zip(_calibration(row), (8, 10, 10), strict=True)) for name, row in rows]
        for rows in (_tasks(report), _all_groups(report), [_overall(report)])
    ]
    return _framed(head, sections)


def write_logs(outcomes: Outcomes, overall: Outcomes, directory: Path) -> None:
    """Write both files of what `official_report` scores into a folder that exists."""
    (directory / "metric.log").write_text(metric_log(official_answers(outcomes, overall)))
    (directory / "metric_conf.log").write_text(metric_conf_log(official_report(outcomes, overall)))


def _tasks(report: TableReport) -> list[tuple[str, TableRow]]:
    return [(task, row) for task, row in report.tasks.items() if is_known_task(task)]


def _all_groups(report: TableReport) -> list[tuple[str, TableRow]]:
    return [(group, report.groups.get(group, _NO_ROW)) for group in GROUPS]


def _calibration(row: TableRow) -> tuple[float | None, ...]:
    values = (row.ece, row.brier, row.auc)
    return (None, None, None) if None in values else values


def _overall(report: TableReport) -> tuple[str, TableRow]:
    return "Overall", report.overall


def _line(name: str, row: TableRow, confidence: Iterable[tuple[float | None, int]]) -> str:
    cells = [_cell(value, width) for value, width in ((row.accuracy, 6), (row.f1, 6), *confidence)]
    return f"| {name:<15} | {' | '.join(cells)} | {row.num_samples:<9} |"


def _cell(value: float | None, width: int) -> str:
    return f"{'N/A':<{width}}" if value is None else f"{100 * value:{width}.2f}"


def _framed(head: str, sections: Iterable[list[str]]) -> str:
    rule = "-" * len(head)
    lines = [rule, head, rule]
    for section in sections:
        lines += [*section, rule]
    return "\n".join(lines) + "\n"
