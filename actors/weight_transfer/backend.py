from typing import Literal

from emocal_rl.cluster.placement import PlacementPlan
from emocal_rl.platform.errors import ConfigError

Backend = Literal["object_store", "nccl", "ipc"]


def resolve_backend(configured: Literal["auto"] | Backend, plan: PlacementPlan) -> Backend:
    """Turn `weight_transfer.backend` into one that works where the plan puts rollout workers and learner.

    auto is nccl where rollout workers have whole GPUs, ipc where all roles sit on one, and object_store on CPU. It is
    object_store as well where roles share several GPUs: a rollout worker need not have a learner rank beside it then.
    Without a learner nobody sends weights.

    Raises:
        ConfigError: the configured one cannot work there.
    """
    rollout, learner = plan.role("rollout"), plan.role("learner")
    assert rollout is not None
    if learner is None:
        return "object_store"
    gpus = rollout.num_gpus, learner.num_gpus, plan.num_shared
    if configured == "auto":
        if _obstacle("nccl", *gpus) is None:
            return "nccl"
        return "ipc" if _obstacle("ipc", *gpus) is None and plan.wanted["GPU"] <= 1 else "object_store"
    if rule := _obstacle(configured, *gpus):
        raise ConfigError("weight_transfer.backend", configured, rule=rule, fix="Use auto or object_store.")
    return configured


def _obstacle(backend: Backend, per_rollout: float, per_learner: float, num_shared: int) -> str | None:
    """Why the backend cannot work with so many GPUs per rollout worker and learner rank; None when it can."""
    if backend == "object_store":
        return None
    if min(per_rollout, per_learner) == 0:
        return "moves weights between GPUs, and rollout workers or learner have none"
    if backend == "nccl" and per_rollout < 1:
        return f"joins whole GPUs, and a rollout worker has {per_rollout:g} of one"
    if backend == "ipc" and max(per_rollout, per_learner) >= 1:
        return "needs rollout workers and learner on the same GPU, and they have GPUs of their own"
    if backend == "ipc" and num_shared > 1:
        return f"needs rollout workers and learner on the same GPU, and they go round {num_shared}"
    return None
