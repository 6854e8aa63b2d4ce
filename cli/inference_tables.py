"""What `eval run` found, on the terminal."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.score_table import print_scores
from emocal_rl.cli.suite_tables import print_suite_report
from emocal_rl.cli.whole_table import print_whole

if TYPE_CHECKING:
    from emocal_rl.stages.inference.output import Outcome

_METRICS = {"accuracy": "Acc", "ece": "ECE", "brier": "Brier", "auc": "AUC", "mean_confidence": "Mean conf."}
_ELICITATIONS = {
    "verb": "Verb: as stated",
    "ans": "Ans: the answer's first decisive token",
    "avg": "Avg: mean over all tokens",
}


def print_outcome(outcome: "Outcome", seed: int, console: Console) -> None:
    """Print the scores of the first repeat; VECBench's strict ones with repeats, elicitations and the known truth."""
    first = outcome.scores[0]
    if not is_vecbench(first):
        for number, report in enumerate(outcome.scores):
            if len(outcome.scores) > 1:
                console.print(f"seed {seed + number}", style="bold")
            print_suite_report(report, console)
        _print_cost(outcome, console)
        return
    print_scores(first, console)
    if len(outcome.scores) > 1:
        rows = {f"seed {seed + number}": score["overall"] for number, score in enumerate(outcome.scores)}
        _print_rows("Repeats, overall", rows | _mean_and_deviation(list(rows.values())), console)
    if outcome.elicitation:
        rows = {_ELICITATIONS[name]: row for name, row in outcome.elicitation.items()}
        _print_rows("Confidence elicited by", rows, console)
    if first["expected"] is not None:
        rows = {"predictions": first["expected"], "oracle": first["oracle"]}
        _print_rows("Under the known probabilities", rows, console)
    _print_cost(outcome, console)


def is_vecbench(report: Mapping[str, Any]) -> bool:
    """Whether a report is VECBench's; those of other suites hold tables."""
    return "tables" not in report


def _print_cost(outcome: "Outcome", console: Console) -> None:
    if outcome.cost is not None:
        console.print(f"Cost so far: {outcome.cost:g}", highlight=False)


def _print_rows(title: str, rows: Mapping[str, Mapping[str, Any]], console: Console) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(title, no_wrap=True)
    for name in _METRICS.values():
        table.add_column(name, justify="right")
    for name, row in rows.items():
        table.add_row(name, *("–" if row[key] is None else f"{100 * row[key]:.2f}" for key in _METRICS))
    print_whole(table, console)


def _mean_and_deviation(rows: Sequence[Mapping[str, float | None]]) -> dict[str, dict[str, float | None]]:
    columns = {key: [row[key] for row in rows] for key in _METRICS}
    known = {key: [value for value in column if value is not None] for key, column in columns.items()}
    return {
        "mean": {key: fmean(values) if values else None for key, values in known.items()},
        "standard deviation": {key: stdev(values) if len(values) > 1 else None for key, values in known.items()},
    }
