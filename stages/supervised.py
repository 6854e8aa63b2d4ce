"""The loop of both supervised stages: shuffle, step, epoch after epoch (paper equations 1 and 3)."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from emocal_rl.actors.learner.examples import SFTItem
from emocal_rl.actors.learner.group import LearnerGroup
from emocal_rl.platform.config.stages import SFTConfig
from emocal_rl.platform.contracts import DemonstrationSample
from emocal_rl.platform.progress import Progress
from emocal_rl.stages.image_feed import ImageFeed

_REPORT_EVERY = 10


def num_updates(config: SFTConfig, num_demonstrations: int) -> int:
    """Optimizer steps of the stage: the last, smaller batch of an epoch counts."""
    return config.epochs * math.ceil(num_demonstrations / config.batch_size)


def run(
    name: str,
    config: SFTConfig,
    learner: LearnerGroup,
    demonstrations: Sequence[DemonstrationSample],
    feed: ImageFeed,
    progress: Progress,
    *,
    seed: int,
) -> dict[str, float]:
    """Train on every demonstration `config.epochs` times; return the mean loss over the last tenth of the steps.

    Args:
        name: of the stage, for the progress view.
        config: epochs, batch size, longest demonstration.
        learner: a group started with this stage's optimizer.
        demonstrations: what to imitate.
        feed: reads the images, one batch ahead of the learner.
        progress: told of every step.
        seed: of the order.
    """
    total, losses, dropped = num_updates(config, len(demonstrations)), [], 0.0

    def items_of(indices: np.ndarray) -> list[SFTItem]:
        chosen = [demonstrations[index] for index in indices]
        return [SFTItem(demonstration, feed.references(demonstration.sample)) for demonstration in chosen]

    progress.phase(name, total)
    with ThreadPoolExecutor(1, thread_name_prefix="images") as reader:
        batches = _batches(len(demonstrations), config, seed)
        upcoming = reader.submit(items_of, next(batches))
        for step in range(1, total + 1):
            items = upcoming.result()
            if step < total:
                upcoming = reader.submit(items_of, next(batches))
            update = learner.sft_step(items, config.max_length)
            losses.append(update.loss)
            dropped += update.extra.get("dropped", 0.0)
            progress.advance()
            if step % _REPORT_EVERY == 0 or step == total:
                progress.metrics(
                    {
                        "kind": "sft",
                        "stage": name,
                        "step": step,
                        "loss": update.loss,
                        "learning_rate": update.learning_rate,
                        "grad_norm": update.grad_norm,
                    }
                )
    if dropped:
        progress.message(f"{name}: dropped {dropped:.0f} demonstrations longer than {config.max_length} tokens")
    return {"loss": float(np.nanmean(losses[-max(1, total // 10) :])), "dropped": dropped}


def _batches(num_demonstrations: int, config: SFTConfig, seed: int) -> Iterator[np.ndarray]:
    """Yield index batches; every epoch is a permutation of its own."""
    for epoch in range(config.epochs):
        order = np.random.default_rng((seed, epoch)).permutation(num_demonstrations)
        yield from np.split(order, range(config.batch_size, num_demonstrations, config.batch_size))
