"""`ablation.json` in an ablation's run directory: its cells, what is predicted of them, and how far each run is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from emocal_rl.platform.config.ablation import AblatedStage
from emocal_rl.platform.config.load import dump_config, resolve_config
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import RunError
from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.manifest import read_manifest
from emocal_rl.stages.ablation.grid import Layout

State = Literal["waiting", "running", "finished", "stopped", "failed", "interrupted"]
DONE: tuple[State, ...] = ("finished", "stopped")
"""A run that an alarm has stopped is not run again: that is what the cell does."""
_NAME = "ablation.json"


@dataclass(frozen=True)
class RunState:
    """One run of an ablation: `cell` is the cell's number."""

    run: str
    cell: int
    seed: int
    state: State
    error: str | None


class AblationJournal:
    """The file, and the states that the runs' own manifests tell, which are the truth about what is done."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._values: dict[str, Any] = json.loads((directory / _NAME).read_text(encoding="utf-8"))

    @classmethod
    def create(cls, directory: Path, layout: Layout, verdicts: Sequence[str]) -> "AblationJournal":
        """Lay out the runs' folders, each with its config, then write the journal.

        Args:
            directory: of the ablation.
            layout: its cells and runs.
            verdicts: the audit's line about each cell.
        """
        for trial in layout.trials:
            (directory / trial.run).mkdir(exist_ok=True)
            write_text(directory / trial.run / "config.yaml", dump_config(trial.config))
        cells = [
            {"number": cell.number, "name": cell.name, "values": dict(cell.values), "audit": verdict}
            | {"prediction": None}
            for cell, verdict in zip(layout.cells, verdicts, strict=True)
        ]
        runs = [{"run": trial.run, "cell": trial.cell.number, "seed": trial.seed} for trial in layout.trials]
        values = {**layout.description, "cells": cells, "runs": runs}
        write_text(directory / _NAME, json.dumps(values, indent=1) + "\n")
        return cls(directory)

    @property
    def cells(self) -> list[dict[str, Any]]:
        """`number`, `name`, `values`, `audit` (one line) and `prediction` of every cell."""
        cells: list[dict[str, Any]] = self._values["cells"]
        return cells

    @property
    def stage(self) -> AblatedStage:
        """The stage that the cells run."""
        stage: AblatedStage = self._values["stage"]
        return stage

    @property
    def baseline(self) -> str:
        """Name of the cell that the others are compared with."""
        return str(self._values["baseline"])

    @property
    def seeds(self) -> list[int]:
        """The seeds of every cell."""
        return list(self._values["seeds"])

    def is_of(self, description: Mapping[str, Any]) -> bool:
        """Tell whether the ablation is the described one (`Layout.description`)."""
        plain = json.loads(json.dumps(description))
        return all(self._values.get(name) == value for name, value in plain.items())

    def runs(self) -> list[RunState]:
        """Return how far every run is, as its own manifest says."""
        return [
            RunState(row["run"], row["cell"], row["seed"], *_state_of(self.directory / row["run"]))
            for row in self._values["runs"]
        ]

    def configs(self) -> dict[str, Config]:
        """Return the configuration of every run, by its folder's name."""
        return {
            row["run"]: resolve_config(str(self.directory / row["run"] / "config.yaml")) for row in self._values["runs"]
        }

    def waiting(self) -> list[RunState]:
        """Return the runs that are left to do."""
        return [run for run in self.runs() if run.state not in DONE]

    def predict(self, cell: int, prediction: Mapping[str, Any]) -> None:
        """Write down what is predicted of a cell."""
        next(each for each in self.cells if each["number"] == cell)["prediction"] = dict(prediction)
        self.write()

    def write(self) -> None:
        """Write the file with the states of now, for whoever reads it without this class."""
        states = {run.run: {"state": run.state, "error": run.error} for run in self.runs()}
        self._values["runs"] = [{**row, **states[row["run"]]} for row in self._values["runs"]]
        write_text(self.directory / _NAME, json.dumps(self._values, indent=1) + "\n")


def is_ablation(directory: Path) -> bool:
    """Tell whether a run directory is an ablation's."""
    return (directory / _NAME).is_file()


def open_journal(directory: Path) -> AblationJournal:
    """Read the journal of an ablation.

    Raises:
        RunError: the run is none, or its journal is damaged.
    """
    if not is_ablation(directory):
        raise RunError("RUN", str(directory), rule="is not the run of an ablation (no ablation.json)")
    try:
        return AblationJournal(directory)
    except ValueError as error:
        raise RunError("RUN", str(directory), rule=f"its ablation.json is damaged: {error}") from error


def _state_of(path: Path) -> tuple[State, str | None]:
    run, manifest = RunDirectory(path), read_manifest(path / "manifest.json")
    if not manifest:
        return "waiting", None
    state: State = manifest.get("status", "interrupted")
    if state == "running" and not run.lock.is_held():
        state = "interrupted"
    return state, manifest.get("error")
