from dataclasses import dataclass

import polars as pl

from emocal_rl.benchmarks.synthvec.expected_metrics import Metrics, oracle_metrics
from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.benchmarks.synthvec.tasks import TASKS


@dataclass(frozen=True, slots=True)
class OracleRow:
    """The best that can be done on one task's images of a split."""

    task: str
    in_domain: bool
    num_samples: int
    metrics: Metrics


def oracle_table(oracle: Oracle, *, num_bins: int = 10) -> list[OracleRow]:
    """Return the oracle's metrics on the test images of every task, then over all in domain and all out of domain."""
    rows = []
    for split, in_domain in (("test", True), ("test_ood", False)):
        tests = oracle.table.filter(pl.col("split") == split)
        named = [(task.name, tests.filter(pl.col("task") == task.name)) for task in TASKS.values()]
        total = "all in domain" if in_domain else "all out of domain"
        for name, part in [*named, (total, tests)]:
            if len(part):
                rows.append(
                    OracleRow(name, in_domain, len(part), oracle_metrics(oracle, part["id"], num_bins=num_bins))
                )
    return rows
