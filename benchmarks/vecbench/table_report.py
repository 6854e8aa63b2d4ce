from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from emocal_rl.benchmarks.vecbench.metrics import f1_scores
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class TableRow:
    """The metrics that the paper prints, as fractions: None where there are none.

    `f1` is weighted by support.
    """

    accuracy: float | None
    f1: float | None
    ece: float | None
    brier: float | None
    auc: float | None
    num_samples: int

    @classmethod
    def of(cls, outcomes: Outcomes) -> "TableRow":
        """Return accuracy and F1 of pooled samples."""
        if not len(outcomes):
            return cls(None, None, None, None, None, 0)
        _, weighted = f1_scores(outcomes.label, outcomes.answer)
        return cls(float(outcomes.correct.mean()), weighted, None, None, None, len(outcomes))

    @classmethod
    def mean(cls, rows: Sequence["TableRow"]) -> "TableRow":
        """Average each metric over the rows in which it is defined; the samples add up."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            defined = [value for row in rows if (value := getattr(row, field.name)) is not None]
            values[field.name] = float(np.mean(defined)) if defined else None
        return cls(**values | {"num_samples": sum(row.num_samples for row in rows)})


@dataclass(frozen=True, slots=True)
class TableReport:
    """A predictions file under a protocol that makes tables like the paper's.

    `left_out` counts the rows that are in no denominator, by the reason.
    """

    protocol: str
    tasks: Mapping[str, TableRow]
    groups: Mapping[str, TableRow]
    overall: TableRow
    left_out: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, ready for JSON."""
        return asdict(self)
