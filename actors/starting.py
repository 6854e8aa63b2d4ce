"""Start the workers of each role in their reserved places, and end them: here plain classes become Ray actors."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

from emocal_rl.actors.learner.group import LearnerGroup
from emocal_rl.actors.learner.worker import LearnerWorker
from emocal_rl.actors.reference.worker import ReferenceWorker
from emocal_rl.actors.reward.worker import RewardWorker
from emocal_rl.actors.rollout.engine_environment import engine_environment
from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.actors.rollout.worker import RolloutWorker
from emocal_rl.actors.stateless_pool import StatelessPool
from emocal_rl.actors.weight_transfer.backend import resolve_backend
from emocal_rl.cluster.placement import Placement, RoleName
from emocal_rl.platform.config.learner import OptimizerConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import EmoCalError

_STATELESS = {"max_restarts": 10, "max_task_retries": 10}


@contextmanager
def start_rollouts(config: Config, placement: Placement, model: Path) -> Iterator[RolloutPool]:
    """Rollout workers with the weights of `model` as version 0."""
    role = placement.plan.role("rollout")
    assert role is not None
    environment = engine_environment(config, use_gpu=role.num_gpus > 0)
    backend = resolve_backend(config.weight_transfer.backend, placement.plan)
    options = {"max_restarts": config.rollout.max_restarts, "max_task_retries": 0}
    workers = [
        _actor(RolloutWorker, placement, "rollout", index, environment, options).remote(
            str(model), config, backend=backend
        )
        for index in range(role.count)
    ]
    with _ending(workers):
        _wait(worker.ready.remote() for worker in workers)
        yield RolloutPool(workers, max_restarts=config.rollout.max_restarts)


@contextmanager
def start_learner(
    config: Config,
    placement: Placement,
    model: Path,
    optimizer: OptimizerConfig,
    *,
    total_steps: int,
    freeze_vision: bool = False,
    freeze_projector: bool = False,
    scaffold_kl: float = 0.0,
) -> Iterator[LearnerGroup]:
    """A learner group that trains `model`; see `LearnerGroup.start`. A rank that dies ends the run; it can resume."""
    workers = [
        _actor(LearnerWorker, placement, "learner", rank).remote(config, rank)
        for rank in range(config.learner.num_workers)
    ]
    with _ending(workers):
        group = LearnerGroup(workers)
        with unwrapped():
            group.start(
                model, optimizer, total_steps=total_steps, freeze_vision=freeze_vision,
                freeze_projector=freeze_projector, scaffold_kl=scaffold_kl,
            )  # fmt: skip
        yield group


@contextmanager
def start_reference(config: Config, placement: Placement, model: Path) -> Iterator[StatelessPool | None]:
    """The frozen policy of `model`; None when the KL coefficient is 0."""
    if placement.plan.role("reference") is None:
        yield None
        return
    worker = _actor(ReferenceWorker, placement, "reference", 0, options=_STATELESS).remote(str(model), config)
    with _ending([worker]):
        _wait([worker.ready.remote()])
        yield StatelessPool([worker], "logprobs")


@contextmanager
def start_rewards(config: Config, placement: Placement, search_path: str) -> Iterator[StatelessPool]:
    """Reward workers. `search_path` is where a user's plug-in is imported from.

    Raises:
        RewardError: the composition cannot be built.
    """
    workers = [
        _actor(RewardWorker, placement, "reward", index, options=_STATELESS).remote(
            config.reward, config.advantage, search_path, config.loss
        )
        for index in range(config.reward.num_workers)
    ]
    with _ending(workers):
        _wait(worker.process_ids.remote() for worker in workers)
        yield StatelessPool(workers, "score")


def _actor(
    role_class: type,
    placement: Placement,
    role: RoleName,
    index: int,
    environment: dict[str, str] | None = None,
    options: Mapping[str, int] | None = None,
) -> Any:
    return ray.remote(role_class).options(**placement.actor_options(role, index, environment), **(options or {}))


@contextmanager
def _ending(workers: Sequence[Any]) -> Iterator[None]:
    """End the actors when the block is left, whatever the reason."""
    try:
        yield
    finally:
        for worker in workers:
            ray.kill(worker, no_restart=True)


def _wait(refs: Any) -> None:
    with unwrapped():
        ray.get(list(refs))


@contextmanager
def unwrapped() -> Iterator[None]:
    """Raise what an actor raised on purpose as itself, not wrapped in Ray's task error."""
    try:
        yield
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, EmoCalError):
            raise error.cause from None
        raise
    except ray.exceptions.ActorDiedError as error:
        cause = getattr(error, "cause", None) or error
        raise cause from None
