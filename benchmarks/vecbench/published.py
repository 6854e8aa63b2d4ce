"""The paper's own numbers, in percent: to be shown beside a run's."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One model on one group of tasks, in percent; None where the paper has no number."""

    accuracy: float
    ece: float | None = None
    brier: float | None = None


TABLE_6_SOURCE = "arXiv 2512.15528, Table 6 (Qwen2.5-VL-7B)"
TABLE_6: Mapping[str, Mapping[str, PublishedRow]] = {
    "base": {
        "ID VER": PublishedRow(40.73),
        "ID VSA": PublishedRow(77.20),
        "OOD VER": PublishedRow(47.72),
    },
    "scaffold": {
        "ID VER": PublishedRow(54.47),
        "ID VSA": PublishedRow(81.75),
        "OOD VER": PublishedRow(50.04),
    },
    "cold_start": {
        "ID VER": PublishedRow(54.04, 14.67, 23.87),
        "ID VSA": PublishedRow(81.60, 7.28, 14.79),
        "OOD VER": PublishedRow(49.81, 13.01, 22.94),
    },
    "calibrated": {
        "ID VER": PublishedRow(55.03, 13.63, 22.77),
        "ID VSA": PublishedRow(81.95, 4.76, 14.68),
        "OOD VER": PublishedRow(50.37, 12.17, 22.41),
    },
}
"""Evolvement of the model along the training stages: by model, then by group of tasks."""
