"""Stage 1 or the training of stage 2 as a run of its own: from a checkpoint and a VEC-CoT file to a checkpoint."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from emocal_rl.actors.learner.group import LearnerGroup
from emocal_rl.actors.model_source import fetch_model
from emocal_rl.actors.starting import start_learner
from emocal_rl.cluster.placement import plan_placement, reserve
from emocal_rl.cluster.session import ray_session
from emocal_rl.cluster.shared_files import check_shared
from emocal_rl.platform.config.stages import SFTStageConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import DemonstrationSample, UpdateStatistics
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.manifest import Manifest
from emocal_rl.stages import supervised
from emocal_rl.stages.checkpoint_store import CheckpointStore, point_of_resumption
from emocal_rl.stages.demonstrations import SFTInputs, read_inputs
from emocal_rl.stages.image_feed import ImageFeed
from emocal_rl.stages.input_log import InputLog
from emocal_rl.stages.inputs import hash_inputs
from emocal_rl.stages.recorder import Recorder

Stage = Literal["reasoning", "confidence"]


@dataclass(frozen=True)
class SFTJob:
    """One supervised run: which stage, and where it writes.

    `known_hashes` are the inputs' hashes of an earlier attempt, by name; an input that has changed since is refused.
    """

    stage: Stage
    config: Config
    directory: RunDirectory
    resume: bool = False
    known_hashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> SFTStageConfig:
        """The stage's section of the configuration."""
        settings: SFTStageConfig = getattr(self.config, self.stage)
        return settings


def run(job: SFTJob, manifest: Manifest, recorder: Recorder, progress: Progress) -> Path:
    """Train from wherever the run stands to the end; return the Hugging Face checkpoint it leaves.

    Its images are taken to be usable: `check_inputs` finds out, before a run begins.

    Raises:
        DataError: a malformed row.
        RunError: an input is not what it was when the run began.
    """
    config, settings, directory = job.config, job.settings, job.directory
    progress.phase("data")
    inputs = _read(job, manifest)
    demonstrations = inputs.demonstrations
    store = CheckpointStore(directory, keep_last=settings.keep_last, best_metric="loss")
    input_log = InputLog(directory.path / "inputs.jsonl")
    checkpoint = point_of_resumption(store, recorder, ["sft"]) if job.resume else None
    start_step = checkpoint.step if checkpoint else 0
    input_log.forget_after(start_step)
    total = supervised.num_updates(settings, len(demonstrations))
    if start_step < total:
        progress.phase("Ray")
        with ray_session(config.cluster) as session:
            plan = plan_placement(config, session.num_gpus, only=["learner"])
            strategy, timeout_s = config.cluster.placement_strategy, config.cluster.placement_timeout_s
            model = fetch_model(config.model)
            with reserve(plan, strategy=strategy, timeout_s=timeout_s) as placement:
                check_shared(placement, {"run.root": directory.path, "model.path": model})
                with start_learner(
                    config, placement, model, settings.optimizer, total_steps=total,
                    freeze_vision=settings.freeze_vision, freeze_projector=settings.freeze_projector,
                    scaffold_kl=getattr(settings, "scaffold_kl", 0.0),
                ) as learner:  # fmt: skip
                    if checkpoint is not None:
                        learner.load_checkpoint(checkpoint.path)
                    feed = ImageFeed(config.data)
                    books = _Books(job, learner, inputs.held_out, feed, store, input_log, recorder, total)
                    supervised.run(
                        job.stage, settings, learner, demonstrations, feed, progress,
                        seed=config.run.seed, start_step=start_step, after_step=books.after_step,
                    )  # fmt: skip
    trained = store.latest()
    assert trained is not None, "the last step has been saved, and `save` looks whether it is there"
    return store.link(trained)


def _read(job: SFTJob, manifest: Manifest) -> SFTInputs:
    data = job.config.data
    files = {name: url for name, url in (("data.train", data.train), ("data.eval", data.eval)) if url}
    hashes = hash_inputs(files, job.known_hashes)
    manifest.add_hashes({**hashes, "model": str(job.config.model.path)})
    return read_inputs(job.config, job.settings)


@dataclass
class _Books:
    """What is written down after a step: journal, inputs, evaluation loss, checkpoint."""

    job: SFTJob
    learner: LearnerGroup
    held_out: Sequence[DemonstrationSample]
    feed: ImageFeed
    store: CheckpointStore
    input_log: InputLog
    recorder: Recorder
    total: int
    step_began_s: float = field(default_factory=time.monotonic)

    def after_step(self, step: int, update: UpdateStatistics) -> None:
        """Everything but the checkpoint may be written again by a resumed run, so the checkpoint comes last."""
        settings, step_s = self.job.settings, time.monotonic() - self.step_began_s
        num_tokens = sum(given.num_tokens for given in update.inputs if not given.dropped)
        row: dict[str, Any] = {
            "stage": self.job.stage,
            "loss": update.loss,
            "learning_rate": update.learning_rate,
            "grad_norm": update.grad_norm,
            "num_loss_tokens": update.num_tokens,
            "num_tokens": num_tokens,
            "image_tokens": sum(given.image_tokens for given in update.inputs if not given.dropped),
            "dropped": int(update.extra.get("dropped", 0)),
            "skipped": update.skipped,
            "time/step_s": step_s,
            "tokens_per_s": num_tokens / step_s,
        }
        if "scaffold_kl" in update.extra:
            row["scaffold_kl"] = update.extra["scaffold_kl"]
        self.input_log.append(step, update.inputs)
        loss = None
        if self.held_out and _is_due(step, settings.eval_every, self.total):
            loss = supervised.evaluate(settings, self.learner, self.held_out, self.feed)
            row["eval_loss"] = loss
        self.recorder.metrics("sft", row, step=step)
        if _is_due(step, settings.save_every, self.total):
            self.store.save(step, self.learner, None if loss is None or math.isnan(loss) else loss)
        self.step_began_s = time.monotonic()


def _is_due(step: int, every: int, total: int) -> bool:
    return step == total or (every > 0 and step % every == 0)
