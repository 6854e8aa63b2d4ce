"""The loop of both supervised stages: shuffle, step, epoch after epoch (paper equations 1 and 3)."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from emocal_rl.actors.learner.examples import SFTItem
from emocal_rl.actors.learner.group import LearnerGroup
from emocal_rl.platform.config.stages import SFTConfig
from emocal_rl.platform.contracts import DemonstrationSample, UpdateStatistics
from emocal_rl.platform.progress import Progress
from emocal_rl.stages.image_feed import ImageFeed

_REPORT_EVERY = 10

AfterStep = Callable[[int, UpdateStatistics], None]
"""Told of every finished step, from 1: journals, evaluates, saves."""


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
    start_step: int = 0,
    after_step: AfterStep | None = None,
) -> dict[str, float]:
    """Train on every demonstration `config.epochs` times; return the mean loss over the last tenth of the steps.

    While a batch trains, the ranks encode the next one and the driver reads the images of the one after that.

    Args:
        name: of the stage, for the progress view.
        config: epochs, batch size, longest demonstration.
        learner: a group started with this stage's optimizer.
        demonstrations: what to imitate.
        feed: reads the images.
        progress: told of every step.
        seed: of the order.
        start_step: steps an earlier attempt has taken; the order goes on behind them.
        after_step: called after every step; without it the progress view is told of every tenth.
    """
    total, losses, dropped = num_updates(config, len(demonstrations)), [], 0.0
    after_step = after_step or _report_to(progress, name, total)

    def items_of(indices: np.ndarray) -> list[SFTItem]:
        chosen = [demonstrations[index] for index in indices]
        return [SFTItem(demonstration, feed.references(demonstration.sample)) for demonstration in chosen]

    progress.phase(name, total)
    progress.advance(start_step)
    with ThreadPoolExecutor(1, thread_name_prefix="images") as reader:
        batches = _read_ahead(reader, items_of, _batches(len(demonstrations), config, seed, start_step))
        coming = next(batches, [])
        for step in range(start_step + 1, total + 1):
            items, coming = coming, next(batches, [])
            if coming:
                learner.prepare(coming)
            update = learner.sft_step(items, config.max_length)
            losses.append(update.loss)
            dropped += update.extra.get("dropped", 0.0)
            progress.advance()
            after_step(step, update)
    if dropped:
        progress.message(f"{name}: dropped {dropped:.0f} demonstrations longer than {config.max_length} tokens")
    return {"loss": _mean(losses[-max(1, total // 10) :]), "dropped": dropped}


def evaluate(
    config: SFTConfig, learner: LearnerGroup, demonstrations: Sequence[DemonstrationSample], feed: ImageFeed
) -> float:
    """Mean cross-entropy over all tokens of the demonstrations that carry loss; NaN when there is none."""
    total, num_tokens = 0.0, 0
    for start in range(0, len(demonstrations), config.batch_size):
        chosen = demonstrations[start : start + config.batch_size]
        items = [SFTItem(demonstration, feed.references(demonstration.sample)) for demonstration in chosen]
        loss = learner.sft_loss(items, config.max_length)
        total, num_tokens = total + loss.total, num_tokens + loss.num_tokens
    return total / num_tokens if num_tokens else math.nan


def _read_ahead(
    reader: ThreadPoolExecutor, read: Callable[[np.ndarray], list[SFTItem]], batches: Iterator[np.ndarray]
) -> Iterator[list[SFTItem]]:
    """Yield each batch, having begun to read the one behind it."""
    upcoming: Future[list[SFTItem]] | None = None
    for indices in batches:
        following = reader.submit(read, indices)
        if upcoming is not None:
            yield upcoming.result()
        upcoming = following
    if upcoming is not None:
        yield upcoming.result()


def _batches(num_demonstrations: int, config: SFTConfig, seed: int, start_step: int) -> Iterator[np.ndarray]:
    """Yield index batches behind the first `start_step`; every epoch is a permutation of its own."""
    num_per_epoch = math.ceil(num_demonstrations / config.batch_size)
    for epoch in range(start_step // num_per_epoch, config.epochs):
        order = np.random.default_rng((seed, epoch)).permutation(num_demonstrations)
        batches = np.split(order, range(config.batch_size, num_demonstrations, config.batch_size))
        yield from batches[max(0, start_step - epoch * num_per_epoch) :]


def _report_to(progress: Progress, name: str, total: int) -> AfterStep:
    def report(step: int, update: UpdateStatistics) -> None:
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

    return report


def _mean(losses: Sequence[float]) -> float:
    return float(np.nanmean(losses)) if any(loss == loss for loss in losses) else math.nan
