"""The two log files of the released evaluator, character by character."""

from collections.abc import Iterable
from pathlib import Path

from emocal_rl.benchmarks.vecbench.table_report import TableReport, TableRow


def metric_log(report: TableReport) -> str:
    """Return `metric.log`: accuracy and F1 of the tasks and overall, in percent."""
    head = f"| {'Task':<15} | {'Acc':<8} | {'F1':<8} | {'#Samples':<9} |"
    sections = [[_line(name, row, ()) for name, row in rows] for rows in (report.tasks.items(), [_overall(report)])]
    return _framed(head, sections)


def metric_conf_log(report: TableReport) -> str:
    """Return `metric_conf.log`: the same, and ECE, Brier and AUC of the groups."""
    scores = f"{'Acc':<6} | {'F1':<6} | {'ECE':<8} | {'Brier':<10} | {'ROC AUC':<10}"
    head = f"| {'Task/Group':<15} | {scores} | {'#Samples':<9} |"
    sections = [
        [_line(name, row, ((row.ece, 8), (row.brier, 10), (row.auc, 10))) for name, row in rows]
        for rows in (report.tasks.items(), report.groups.items(), [_overall(report)])
        if rows
    ]
    return _framed(head, sections)


def write_logs(report: TableReport, directory: Path) -> None:
    """Write both files into a folder that exists."""
    (directory / "metric.log").write_text(metric_log(report))
    (directory / "metric_conf.log").write_text(metric_conf_log(report))


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
