"""Stage 3: GRPO on the model's own responses, so that stated confidence earns what it is worth (paper equation 5)."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray

from emocal_rl.actors.learner.group import LearnerGroup
from emocal_rl.actors.parity import check_parity
from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.actors.stateless_pool import StatelessPool
from emocal_rl.actors.weight_transfer.sync import WeightSync
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import RolloutRequest, Sample, SamplingParameters, ScoredGroup
from emocal_rl.platform.errors import DataError, UserError
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.samples import write_samples
from emocal_rl.rewards.advantages.batch_normalized import batch_normalized
from emocal_rl.rewards.advantages.estimate import WAITS_FOR_BATCH
from emocal_rl.stages.checkpoint_store import CheckpointStore
from emocal_rl.stages.evaluation import Evaluation
from emocal_rl.stages.image_feed import ImageFeed
from emocal_rl.stages.prompt_order import num_steps, prompt_order
from emocal_rl.stages.recorder import Recorder
from emocal_rl.stages.rollout_statistics import rollout_statistics
from emocal_rl.stages.sample_rows import sample_rows
from emocal_rl.stages.step_clock import StepClock
from emocal_rl.stages.watch.all_masked import all_masked
from emocal_rl.stages.watch.watch import Watch

_PROBED_PROMPTS = 2
"""Prompts whose responses the parity probe compares."""


@dataclass(frozen=True)
class Roles:
    """The workers of stage 3, and the way of new weights. `reference` is None when the KL coefficient is 0."""

    rollouts: RolloutPool
    learner: LearnerGroup
    weight_sync: WeightSync
    rewards: StatelessPool
    reference: StatelessPool | None


def run(
    config: Config,
    roles: Roles,
    prompts: Sequence[Sample],
    validate: Callable[[int], Evaluation],
    directory: RunDirectory,
    store: CheckpointStore,
    recorder: Recorder,
    watch: Watch,
    progress: Progress,
    *,
    start_step: int = 0,
) -> None:
    """Train from `start_step` to the end: sample, score, update, sync, journal; step after step.

    Groups stream: while the engines still sample, finished groups are already with the reward and reference workers.
    The driver holds object refs and rewards, no tensors.

    Raises:
        AlarmError: an alarm of `alarms.stop` sounded; the step's checkpoint is written.
        RewardError: not one response of a step has a reward; the checkpoint of the step before it is written.
    """
    settings, feed = config.calibration, ImageFeed(config.data)
    last_step = num_steps(settings, len(prompts))

    def requests_of(step: int) -> list[RolloutRequest]:
        order = prompt_order(len(prompts), settings.prompts_per_step, step, config.run.seed)
        return feed.requests([prompts[index] for index in order], _sampling(config, step))

    progress.phase("calibration", last_step)
    progress.advance(start_step)
    if start_step == last_step:
        return
    with ThreadPoolExecutor(1, thread_name_prefix="images") as reader:
        upcoming = reader.submit(requests_of, start_step + 1)
        for step in range(start_step + 1, last_step + 1):
            clock = StepClock()
            requests = upcoming.result()
            if step < last_step:
                upcoming = reader.submit(requests_of, step + 1)

            groups: list[Any] = [None] * len(requests)
            refused: dict[int, DataError] = {}
            with clock.phase("rollout"):
                for index, group in roles.rollouts.stream(requests, refused.__setitem__):
                    reference = roles.reference.submit(group) if roles.reference else None
                    penalty = [reference] if config.loss.kl_placement == "reward" and roles.reference else []
                    groups[index] = (group, roles.rewards.submit(group, *penalty), reference)
            groups = [group for group in groups if group is not None]
            requests = [request for index, request in enumerate(requests) if index not in refused]
            with clock.phase("reward"):
                scored: list[ScoredGroup] = ray.get([reward for _, reward, _ in groups])
                if config.advantage.estimator in WAITS_FOR_BATCH:
                    scored = batch_normalized(scored, config.advantage)
            if (failure := _nothing_to_learn(step, scored, refused, config)) is not None:
                if step - 1 > start_step and step - 1 not in (checkpoint.step for checkpoint in store.all()):
                    store.save(step - 1, roles.learner, None)
                raise failure
            recorder.refused(refused.values())
            with clock.phase("reference"):
                _wait_for([reference for _, _, reference in groups])

            batch = [(group, score, reference) for (group, _, reference), score in zip(groups, scored, strict=True)]
            with clock.phase("update"):
                old = _old_logprobs(config, roles.learner, batch)
                updates = [
                    roles.learner.update([batch[i] for i in part], [old[i] for i in part] if old else None)
                    for part in np.array_split(np.arange(len(batch)), settings.num_mini_batches)
                    if len(part)
                ]
            with clock.phase("sync"):
                roles.weight_sync.push()
            if _probe_is_due(config, step, start_step):
                with clock.phase("parity"):
                    difference = check_parity(
                        roles.rollouts, roles.learner, requests[:_PROBED_PROMPTS],
                        tolerance=config.weight_transfer.parity_tolerance, in_16_bit=_is_in_16_bit(config),
                    )  # fmt: skip
                    recorder.event("parity", f"step {step}: log-prob differences: {difference}")

            write_samples(directory, step, sample_rows(step, [request.sample for request in requests], scored))
            seconds = clock.seconds()
            row = rollout_statistics(scored, num_bins=config.evaluation.num_bins) | roles.learner.merge(updates)
            row |= _throughput(scored, seconds) | seconds | {"rollout/refused": float(len(refused))}
            stop = watch.record(step, scored, row | {"weight_version": roles.learner.weight_version})
            progress.advance()

            is_last, validated = step == last_step, None
            if not is_last and settings.eval_every and step % settings.eval_every == 0:
                headline = validate(step).headline
                recorder.metrics("validation", headline, step=step)
                validated = headline[settings.best_metric]
                progress.phase("calibration", last_step)
                progress.advance(step)
            if is_last or stop or (settings.save_every and step % settings.save_every == 0):
                store.save(step, roles.learner, validated)
            if stop and not is_last:
                raise stop


def _nothing_to_learn(
    step: int, scored: Sequence[ScoredGroup], refused: Mapping[int, DataError], config: Config
) -> UserError | None:
    """The error to end a run with where a step has no response to learn from."""
    if not scored:
        return refused[min(refused)]
    return all_masked(step, scored, config.reward)


def _is_in_16_bit(config: Config) -> bool:
    has_gpu = bool(ray.cluster_resources().get("GPU", 0))
    return config.model.dtype == "bfloat16" or (config.model.dtype == "auto" and has_gpu)


def _sampling(config: Config, step: int) -> SamplingParameters:
    sampling = config.rollout.sampling
    seed = int(np.random.SeedSequence((config.run.seed, step)).generate_state(1)[0])
    return SamplingParameters(
        config.calibration.group_size,
        sampling.temperature,
        sampling.max_new_tokens,
        sampling.top_p,
        seed,
        token_ends=config.reward.confidence.teaches == "confidence",
    )


def _wait_for(refs: Sequence[Any]) -> None:
    pending = [ref for ref in refs if ref is not None]
    if pending:
        ray.wait(pending, num_returns=len(pending), fetch_local=False)


def _old_logprobs(config: Config, learner: LearnerGroup, batch: Sequence[tuple[Any, ScoredGroup, Any]]) -> list[Any]:
    """Log-probs under the weights that sampled, by the learner itself; empty when those of the rollout serve."""
    if config.loss.old_logprobs == "rollout":
        return []
    return [ray.put(values) for values in learner.logprobs([group for group, _, _ in batch])]


def _probe_is_due(config: Config, step: int, start_step: int) -> bool:
    every = config.weight_transfer.parity_every
    return step == start_step + 1 or (every > 0 and step % every == 0)


def _throughput(groups: Sequence[ScoredGroup], seconds: dict[str, float]) -> dict[str, float]:
    rollout_s = seconds["time/rollout_s"]
    return {
        "rollout/samples_per_s": sum(len(group.num_tokens) for group in groups) / rollout_s,
        "rollout/tokens_per_s": sum(sum(group.num_tokens) for group in groups) / rollout_s,
    }
