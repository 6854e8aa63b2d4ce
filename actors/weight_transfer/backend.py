from typing import Literal

from emocal_rl.platform.errors import ConfigError

Backend = Literal["object_store", "nccl", "ipc"]


def resolve_backend(configured: Literal["auto"] | Backend, *, use_gpu: bool, shares_gpus: bool = False) -> Backend:
    """Turn `weight_transfer.backend` into a backend: auto is object_store on CPU, ipc on shared GPUs, nccl across GPUs.

    Raises:
        ConfigError: nccl or ipc without a GPU.
    """
    if configured in ("nccl", "ipc") and not use_gpu:
        rule = "moves weights between GPUs, and the rollout workers have none"
        raise ConfigError("weight_transfer.backend", configured, rule=rule, fix="Use auto or object_store.")
    if configured != "auto":
        return configured
    return "object_store" if not use_gpu else "ipc" if shares_gpus else "nccl"
