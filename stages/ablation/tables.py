"""An ablation as the paper prints it: Tables 7, 8 and 9, means over seeds, and differences to a baseline cell."""

from collections.abc import Mapping, Sequence

import numpy as np

from emocal_rl.benchmarks.statistics.seed_interval import seed_interval
from emocal_rl.benchmarks.statistics.seed_paired import AVERAGE, Difference, SeedPair, compare_seeds
from emocal_rl.benchmarks.vecbench.paper import paper_report
from emocal_rl.benchmarks.vecbench.table_report import TableReport, TableRow
from emocal_rl.benchmarks.vecbench.tasks import GROUPS
from emocal_rl.platform.config.ablation import AblatedStage
from emocal_rl.platform.report.results.table import Cell, Column, ResultRow, ResultTable, one_line
from emocal_rl.stages.ablation.measurement import CellResult, Measured, starting_model

TITLES = {
    "reasoning": "Stage 1 (the paper's Table 7)",
    "confidence": "Stage 2 (the paper's Table 8)",
    "calibration": "Stage 3 (the paper's Table 9)",
}
STARTS = {"reasoning": "Base model", "confidence": "Scaffold model", "calibration": "Cold-start model"}
_METRICS: Mapping[AblatedStage, Mapping[str, str]] = {
    "reasoning": {"accuracy": "Acc", "f1": "F1"},
    "confidence": {"accuracy": "Acc", "brier": "Brier", "ece": "ECE", "auc": "AUC"},
    "calibration": {"accuracy": "Acc", "brier": "Brier", "ece": "ECE", "auc": "AUC"},
}
_LOWER_IS_BETTER = ("brier", "ece")
_IN_STATISTICS = {"f1": "f1_weighted"}
_PAPER_ORDER = ("ID VER", "ID VSA", "OOD VER")


def main_table(stage: AblatedStage, cells: Sequence[CellResult]) -> ResultTable:
    """Lay out every cell below the model they start from: percent, mean over seeds with Student's interval.

    Values are formed as the paper's: a group's accuracy and F1 are the means of its tasks', ECE, Brier and AUC pool its
    samples, the average is over the groups.
    """
    start = starting_model(cells)
    rows = [("", STARTS[stage], start), *(("Cells", cell.name, cell.after) for cell in cells)]
    reports = {label: [paper_report(each.outcomes) for each in measured] for _, label, measured in rows}
    scopes = _scopes([report for each in reports.values() for report in each])
    columns = _columns(scopes, stage)
    laid_out = [
        ResultRow(
            one_line(label),
            [_cell(reports[label], scope, metric) for scope in scopes for metric in _METRICS[stage]],
            _num_seeds(measured),
            section,
        )
        for section, label, measured in rows
    ]
    synthetic = any(task.startswith("Synth") for each in reports.values() for report in each for task in report.tasks)
    notes = ["Percent, as sampled; mean over seeds with Student's 95 % interval of the mean."]
    if synthetic:
        notes.append("The tasks are SynthVEC's mirrors: nothing here compares with published numbers.")
    missing = [cell.name for cell in cells if not cell.after]
    if missing:
        notes.append(f"Without a finished run: {'; '.join(missing)}.")
    return ResultTable(TITLES[stage], columns, laid_out, notes, "Seeds")


def paired_table(
    stage: AblatedStage, cells: Sequence[CellResult], baseline: str, *, num_resamples: int = 2000
) -> ResultTable | None:
    """Lay out each cell minus the baseline cell under the same seeds, with a bootstrap over images; None without pairs.

    The interval says what other test images might have given to these very runs. How much the runs themselves vary is
    what the intervals over seeds say.
    """
    against = next(cell for cell in cells if cell.name == baseline)
    found: dict[str, tuple[int, Mapping[str, Mapping[str, Difference]]]] = {}
    for cell in cells:
        pairs = _pairs(against, cell) if cell is not against else []
        if pairs:
            found[cell.name] = len(pairs), compare_seeds(pairs, num_resamples=num_resamples)
    if not found:
        return None
    scopes = [scope for scope in (*_PAPER_ORDER, AVERAGE) if any(scope in each for _, each in found.values())]
    rows = []
    for name, (num_pairs, differences) in found.items():
        values = [
            _difference(differences, scope, _IN_STATISTICS.get(metric, metric))
            for scope in scopes
            for metric in _METRICS[stage]
        ]
        rows.append(ResultRow(one_line(name), values, str(num_pairs)))
    notes = [
        f"Percentage points: the cell minus {baseline}, under the same seeds, mean over the seeds that both have.",
        f"95 % BCa bootstrap over images, {num_resamples:,} resamples within tasks, the same for all seeds.",
    ]
    return ResultTable(f"Difference to {one_line(baseline)}", _columns(scopes, stage), rows, notes, "Seeds")


def figures(cells: Sequence[CellResult], stage: AblatedStage) -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    """Return the numbers behind `main_table` for JSON: cell -> scope -> metric -> the seeds' values, in fractions."""
    named = {STARTS[stage]: starting_model(cells), **{cell.name: cell.after for cell in cells}}
    found: dict[str, dict[str, dict[str, dict[str, object]]]] = {}
    for name, measured in named.items():
        reports = {str(each.seed): paper_report(each.outcomes) for each in measured}
        found[name] = {
            scope: {
                metric: {seed: _value(report, scope, metric) for seed, report in reports.items()}
                for metric in ("accuracy", "f1", "brier", "ece", "auc")
            }
            for scope in _scopes(list(reports.values()))
        }
    return found


def _scopes(reports: Sequence[TableReport]) -> list[str]:
    present = [group for group in _PAPER_ORDER if any(group in report.groups for report in reports)]
    assert set(_PAPER_ORDER) == set(GROUPS)
    return [*present, AVERAGE] if len(present) != 1 else present


def _columns(scopes: Sequence[str], stage: AblatedStage) -> list[Column]:
    return [
        Column(scope, title, metric in _LOWER_IS_BETTER)
        for scope in scopes
        for metric, title in _METRICS[stage].items()
    ]


def _value(report: TableReport, scope: str, metric: str) -> float | None:
    row: TableRow | None = report.overall if scope == AVERAGE else report.groups.get(scope)
    value: float | None = None if row is None else getattr(row, metric)
    return None if value is None or np.isnan(value) else value


def _cell(reports: Sequence[TableReport], scope: str, metric: str) -> Cell:
    values = [100 * value for report in reports if (value := _value(report, scope, metric)) is not None]
    if not values:
        return Cell()
    interval = seed_interval(values)  # of few seeds it may reach beyond what a share can be
    return Cell(float(np.mean(values)), (max(interval[0], 0.0), min(interval[1], 100.0)) if interval else None)


def _num_seeds(measured: Sequence[Measured]) -> str:
    return str(len(measured)) if measured else "–"


def _pairs(first: CellResult, second: CellResult) -> list[SeedPair]:
    """Pair the seeds that both cells have finished, on the images that both were asked about."""
    by_seed = {each.seed: each for each in first.after}
    pairs = []
    for other in second.after:
        one = by_seed.get(other.seed)
        if one is not None:
            place = {name: row for row, name in enumerate(one.ids)}
            rows = [(place[name], row) for row, name in enumerate(other.ids) if name in place]
            ids = [other.ids[row] for _, row in rows]
            ones, others = (np.array(column, dtype=np.intp) for column in zip(*rows, strict=True))
            pairs.append(SeedPair(ids, one.outcomes.take(ones), other.outcomes.take(others)))
    return pairs


def _difference(found: Mapping[str, Mapping[str, Difference]], scope: str, metric: str) -> Cell:
    difference = found[scope][metric] if scope in found else None
    if difference is None or difference.value is None:
        return Cell()
    interval = difference.interval
    return Cell(100 * difference.value, (100 * interval.lower, 100 * interval.upper) if interval else None)
