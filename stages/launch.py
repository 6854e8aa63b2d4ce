"""The main job: cold start, evaluation before, calibration, evaluation after, report."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from emocal_rl.actors.model_source import fetch_model
from emocal_rl.actors.starting import start_learner, start_reference, start_rewards, start_rollouts
from emocal_rl.actors.weight_transfer.backend import Backend, resolve_backend
from emocal_rl.actors.weight_transfer.sync import WeightSync
from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.cluster.placement import Placement, plan_placement, reserve
from emocal_rl.cluster.session import ray_session
from emocal_rl.cluster.shared_files import check_shared
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import read_journal
from emocal_rl.platform.runs.manifest import Manifest
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.provenance import describe_rules
from emocal_rl.stages import calibration, cold_start
from emocal_rl.stages.calibration import Roles
from emocal_rl.stages.checkpoint_store import CheckpointStore, point_of_resumption
from emocal_rl.stages.estimate import with_object_store
from emocal_rl.stages.inputs import Inputs, load_inputs
from emocal_rl.stages.policy_evaluator import PolicyEvaluator
from emocal_rl.stages.recorder import Recorder
from emocal_rl.stages.watch.cold_start_answers import samples_answered_right
from emocal_rl.stages.watch.watch import Watch


@dataclass(frozen=True)
class Job:
    """One launch: where it writes, where it resumes from, and where a user's plug-in is imported from.

    `oracle` knows the truth about files of the synthetic world.
    """

    config: Config
    directory: RunDirectory
    search_path: str
    resume: bool = False
    oracle: Oracle | None = None


def run(job: Job, manifest: Manifest, recorder: Recorder, progress: Progress) -> None:
    """Run the job from wherever it stands to the end; everything it leaves is in the run directory."""
    config, directory = job.config, job.directory
    progress.phase("data")
    inputs = load_inputs(config)
    manifest.add_hashes(inputs.hashes)
    manifest.record("reward", describe_rules(Composition.from_config(config.reward)))
    settings = config.calibration
    store = CheckpointStore(directory, keep_last=settings.keep_last, best_metric=settings.best_metric)
    checkpoint = point_of_resumption(store, recorder) if job.resume else None
    progress.phase("Ray")
    with ray_session(with_object_store(config)) as session, ExitStack() as stack:
        plan = plan_placement(config, session.num_gpus)
        backend = resolve_backend(config.weight_transfer.backend, plan)
        placement = stack.enter_context(
            reserve(plan, strategy=config.cluster.placement_strategy, timeout_s=config.cluster.placement_timeout_s)
        )
        check_shared(placement, {"run.root": directory.path})
        model = _starting_model(config, placement, progress)
        check_shared(placement, {"model.path": model})
        manifest.add_hashes({"model": model.parent.name if config.model.path is None else str(model)})
        roles = _start_roles(job, placement, backend, model, len(inputs.prompts), stack, progress)
        evaluator = PolicyEvaluator(config, directory, roles.rollouts, job.oracle or inputs.oracle, progress)
        evaluator.test("before", inputs.test)
        known = _known_to_cold_start(job, roles, inputs, model, progress)
        if checkpoint is not None:
            roles.learner.load_checkpoint(checkpoint.path)
            roles.weight_sync.push()
        calibration.run(
            config,
            roles,
            inputs.prompts,
            lambda step: evaluator.validate(step, inputs.validation),
            directory,
            store,
            recorder,
            Watch(config, recorder, known, read_journal(directory)),
            progress,
            start_step=checkpoint.step if checkpoint else 0,
        )
        evaluator.test("after", inputs.test)
        if checkpoints := store.all():
            store.link(checkpoints[-1])


def _starting_model(config: Config, placement: Placement, progress: Progress) -> Path:
    if config.model.path is not None:
        return fetch_model(config.model)
    return cold_start.run(config, placement, progress).model


def _start_roles(
    job: Job,
    placement: Placement,
    backend: Backend,
    model: Path,
    num_prompts: int,
    stack: ExitStack,
    progress: Progress,
) -> Roles:
    config = job.config
    progress.phase("engines")
    total_updates = calibration.num_steps(config, num_prompts) * config.calibration.num_mini_batches
    # The reward comes first: a plug-in that does not import should not cost the start of three engines.
    rewards = stack.enter_context(start_rewards(config, placement, job.search_path))
    rollouts = stack.enter_context(start_rollouts(config, placement, model))
    learner = stack.enter_context(
        start_learner(config, placement, model, config.learner.optimizer, total_steps=total_updates)
    )
    return Roles(
        rollouts=rollouts,
        learner=learner,
        weight_sync=WeightSync(learner, rollouts, backend, config.rollout.tensor_parallel_size),
        rewards=rewards,
        reference=stack.enter_context(start_reference(config, placement, model)),
    )


def _known_to_cold_start(
    job: Job, roles: Roles, inputs: Inputs, model: Path, progress: Progress
) -> frozenset[str] | None:
    """What the cold start answers right: kept with the tiny policy's, which runs share, else in the run directory."""
    folder = job.directory.path if job.config.model.path else model.parent
    steps = calibration.num_steps(job.config, len(inputs.prompts))
    return samples_answered_right(job.config, roles.rollouts, inputs.prompts, steps, folder, progress)
