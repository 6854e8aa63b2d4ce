from collections.abc import Mapping
from typing import Any, Protocol

Row = Mapping[str, Any]


class Tracker(Protocol):
    """Where metrics go besides the journal. All calls come from one thread, the one that opened the tracker.

    Implementations may raise anything and take any time: `TrackerSet` keeps both away from the run.
    """

    def log(self, group: str, metrics: Mapping[str, float], step: int) -> None:
        """Log metrics of one step. `group` is train, validation or an SFT stage; each counts its own steps."""

    def close(self) -> None:
        """Write out what is pending."""


def split_row(row: Row) -> tuple[str, dict[str, float], int] | None:
    """Turn a journal row into `log`'s arguments: its numbers only; None for a row that has no step."""
    if "step" not in row:
        return None
    group = row["stage"] if row["kind"] == "sft" else row["kind"]
    numbers = {
        name: float(value)
        for name, value in row.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and name not in ("step", "time")
    }
    return group, numbers, row["step"]
