"""How long work tells what it is doing. The command line draws it; a stage only reports."""

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """A listener of one run."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A phase of `total` units begins; None when the length is unknown."""

    def advance(self, count: int = 1) -> None:
        """`count` more units of the current phase are done."""

    def metrics(self, row: Mapping[str, float | int | str | None]) -> None:
        """One row of `metrics.jsonl` was written."""

    def message(self, text: str) -> None:
        """Something worth one line."""


class SilentProgress:
    """Nobody is listening."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, count: int = 1) -> None:
        """Ignore it."""

    def metrics(self, row: Mapping[str, float | int | str | None]) -> None:
        """Ignore it."""

    def message(self, text: str) -> None:
        """Ignore it."""
