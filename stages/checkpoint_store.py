"""Checkpoints of a run: written whole or not at all, verified before use, pruned by age and by validation metric."""

import json
import logging
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from emocal_rl.actors.learner.checkpoint import verify_checkpoint
from emocal_rl.actors.learner.group import LearnerGroup
from emocal_rl.platform.errors import RunError
from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import Kind
from emocal_rl.stages.recorder import Recorder

_log = logging.getLogger(__name__)
_LOWER_IS_BETTER = frozenset({"brier", "ece", "loss"})
_INDEX = "validation.json"


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint. `model` is its Hugging Face export, which plain transformers and plain vLLM load."""

    path: Path

    @property
    def step(self) -> int:
        """The step after which it was written."""
        return int(self.path.name.removeprefix("step-"))

    @property
    def model(self) -> Path:
        """The Hugging Face export."""
        return self.path / "model"


class CheckpointStore:
    """The `checkpoints/` folder of a run, and what validation said of each checkpoint.

    Args:
        directory: the run.
        keep_last: newest checkpoints that stay.
        best_metric: validation metric whose best checkpoint stays as well.
    """

    def __init__(self, directory: RunDirectory, *, keep_last: int, best_metric: str) -> None:
        self._directory, self._keep_last, self._best_metric = directory, keep_last, best_metric

    def save(self, step: int, learner: LearnerGroup, validation: float | None) -> Checkpoint:
        """Write the checkpoint of `step`; `validation` is its `best_metric`, None when it was not validated.

        Raises:
            RunError: what the learner's ranks have written cannot be seen from here.
        """
        checkpoint = Checkpoint(self._directory.checkpoints / f"step-{step:06d}")
        learner.save_checkpoint(checkpoint.path)
        learner.export_hf(checkpoint.model)  # last, and atomic: a checkpoint with a model is complete
        if not checkpoint.model.is_dir():
            rule = f"the learner has written the checkpoint of step {step}, but on this machine it is not there"
            fix = "The folder of run directories (--root) must be on a file system that all nodes of the cluster share"
            raise RunError("run.root", str(self._directory.path.parent), rule=rule, fix=fix)
        write_text(self._index, json.dumps({**self._validated(), checkpoint.path.name: validation}, indent=2) + "\n")
        self._prune()
        return checkpoint

    def all(self) -> list[Checkpoint]:
        """Every checkpoint, oldest first, unverified."""
        return [Checkpoint(path) for path in self._directory.list_checkpoints()]

    def best(self) -> Checkpoint | None:
        """The checkpoint with the best validation metric, if any was validated."""
        validated = self._validated()
        sign = 1.0 if self._best_metric in _LOWER_IS_BETTER else -1.0
        measured = [(sign * value, c) for c in self.all() if (value := validated.get(c.path.name)) is not None]
        return min(measured, key=lambda pair: pair[0])[1] if measured else None

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint whose files are all there and unchanged; damaged ones are reported and passed over.

        Raises:
            RunError: there are checkpoints, but all are damaged.
        """
        checkpoints = self.all()
        for checkpoint in reversed(checkpoints):
            problems = verify_checkpoint(checkpoint.path)
            if checkpoint.model.is_dir():
                problems += [f"model/: {problem}" for problem in verify_checkpoint(checkpoint.model)]
            else:
                problems.append("it has no model export")
            if not problems:
                return checkpoint
            _log.warning("checkpoint %s is damaged and passed over: %s", checkpoint.path.name, "; ".join(problems))
        if checkpoints:
            rule = "every checkpoint of the run is damaged"
            raise RunError(
                "--resume", str(self._directory.path), rule=rule, fix="Start it anew, or restore a checkpoint"
            )
        return None

    def link(self, checkpoint: Checkpoint) -> Path:
        """Let `model` in the run directory lead to a checkpoint's export, and return it."""
        link = self._directory.path / "model"
        link.unlink(missing_ok=True)
        link.symlink_to(checkpoint.model.relative_to(self._directory.path))
        return link

    def drop_after(self, step: int) -> None:
        """Remove checkpoints behind `step`: damaged ones that a resumed run will write again."""
        for checkpoint in self.all():
            if checkpoint.step > step:
                shutil.rmtree(checkpoint.path)

    @property
    def _index(self) -> Path:
        return self._directory.checkpoints / _INDEX

    def _validated(self) -> dict[str, float | None]:
        validated: dict[str, float | None] = json.loads(self._index.read_text()) if self._index.exists() else {}
        return validated

    def _prune(self) -> None:
        checkpoints, best = self.all(), self.best()
        for checkpoint in checkpoints[: -self._keep_last]:
            if best is None or checkpoint.step != best.step:
                shutil.rmtree(checkpoint.path)


def point_of_resumption(
    store: CheckpointStore, recorder: Recorder, kinds: Collection[Kind] = ("train", "validation")
) -> Checkpoint | None:
    """The checkpoint a resumed run continues from, None for its beginning; what was written after it is forgotten.

    Args:
        store: the run's checkpoints.
        recorder: the run's journal.
        kinds: of journal rows that the resumed steps write again.

    Raises:
        RunError: there are checkpoints, but all are damaged.
    """
    checkpoint = store.latest()
    step = checkpoint.step if checkpoint else 0
    recorder.forget_after(step, kinds)
    store.drop_after(step)
    recorder.event("resume", f"continuing after step {step}")
    return checkpoint
