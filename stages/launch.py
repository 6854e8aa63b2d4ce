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
from emocal_rl.rewards.audit.one_line import one_line_verdict
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.provenance import describe_rules
from emocal_rl.stages import calibration, cold_start
from emocal_rl.stages.calibration import Roles
from emocal_rl.stages.checkpoint_store import CheckpointStore, point_of_resumption
from emocal_rl.stages.cold_start_cache import find_cold_start
from emocal_rl.stages.estimate import with_object_store
from emocal_rl.stages.inputs import Inputs, load_inputs, refuse_changed
from emocal_rl.stages.model_settings import fingerprint
from emocal_rl.stages.policy_evaluator import PolicyEvaluator
from emocal_rl.stages.prompt_order import num_steps
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
    """Run the job from wherever it stands to the end; everything it leaves is in the run directory.

    Raises:
        RunError: data, model, cold start or a reward's plug-in are not what they were when the run began.
    """
    config, directory = job.config, job.directory
    progress.phase("data")
    inputs = load_inputs(config)
    manifest.record("audit", one_line_verdict(config.reward, config.advantage))
    settings = config.calibration
    store = CheckpointStore(directory, keep_last=settings.keep_last, best_metric=settings.best_metric)
    _record_inputs(config, inputs, manifest, is_trained=bool(store.all()))
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


def _record_inputs(config: Config, inputs: Inputs, manifest: Manifest, *, is_trained: bool) -> None:
    """Say in the manifest what the run depends on, and refuse what is not as an earlier attempt found it.

    A plug-in may have been mended as long as nothing `is_trained` on what it said.
    """
    rules = describe_rules(Composition.from_config(config.reward))
    plugins = {f"reward.{term}.rule": rule for term, rule in rules.items() if ":" in rule["rule"] and rule["sha256"]}
    hashes = {**inputs.hashes, **_hash_of_model(config)}
    of_plugins = {key: rule["sha256"] for key, rule in plugins.items()}
    places = {key: rule["source"] for key, rule in plugins.items()}
    places |= {"data.train": config.data.train, "data.eval": config.data.eval, "model.path (files)": config.model.path}
    refuse_changed({**hashes, **(of_plugins if is_trained else {})}, manifest.values["hashes"], places)
    manifest.add_hashes({**hashes, **of_plugins})
    manifest.record("reward", rules)


def _hash_of_model(config: Config) -> dict[str, str]:
    """A given model by its files' names, sizes and times, the tiny policy by all that its cold start depends on."""
    if config.model.path is None:
        return {"model": find_cold_start(config).directory.name}
    digest = fingerprint(fetch_model(config.model))
    assert digest is not None
    return {"model.path (files)": digest}


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
    total_updates = num_steps(config.calibration, num_prompts) * config.calibration.num_mini_batches
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
    steps, journals = num_steps(job.config.calibration, len(inputs.prompts)), job.directory.evaluations
    return samples_answered_right(job.config, roles.rollouts, inputs.prompts, steps, folder, journals, progress)
