"""The before/after table: cold start, calibrated and, where the truth is known, the oracle."""

from collections.abc import Mapping
from dataclasses import dataclass

from emocal_rl.platform.report.data import Evaluation, Metrics, Scope

COLUMNS = {"accuracy": "Accuracy", "ece": "ECE", "brier": "Brier", "auc": "AUC", "mean_confidence": "Mean confidence"}
LOWER_IS_BETTER = ("ece", "brier")


@dataclass(frozen=True)
class ComparisonRow:
    """One policy. `metrics` are the expected ones where the truth is known, with the `measured` ones beside them."""

    label: str
    metrics: Metrics
    measured: Metrics | None


@dataclass(frozen=True)
class Comparison:
    """One decoding over one set of tasks."""

    title: str
    rows: tuple[ComparisonRow, ...]


def compare(evaluations: Mapping[str, Evaluation]) -> list[Comparison]:
    """Build the tables: sampled before greedy, in-domain before all tasks; what was not evaluated is left out."""
    found = []
    for suffix in ("sampled", "greedy"):
        before, after = evaluations.get(f"before_{suffix}"), evaluations.get(f"after_{suffix}")
        newest = after or before
        if newest is None:
            continue
        if newest.in_domain is not None:
            rows = _rows(before.in_domain if before else None, after.in_domain if after else None)
            found.append(Comparison(f"{decoding_name(newest)}, in-domain tasks", rows))
        rows = _rows(before.overall if before else None, after.overall if after else None)
        found.append(Comparison(f"{decoding_name(newest)}, all tasks", rows))
    return found


def decoding_name(evaluation: Evaluation) -> str:
    """Name the decoding: `Greedy`, or `Sampled at T = 1`."""
    return f"Sampled at T = {evaluation.temperature:g}" if evaluation.temperature else "Greedy"


def _rows(before: Scope | None, after: Scope | None) -> tuple[ComparisonRow, ...]:
    rows = [
        ComparisonRow(label, scope.best, scope.measured if scope.expected else None)
        for label, scope in (("Cold start", before), ("Calibrated", after))
        if scope is not None
    ]
    oracle = next((scope.oracle for scope in (after, before) if scope is not None and scope.oracle), None)
    return (*rows, ComparisonRow("Oracle", oracle, None)) if oracle else tuple(rows)
