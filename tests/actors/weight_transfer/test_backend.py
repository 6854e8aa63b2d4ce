import pytest

from emocal_rl.actors.weight_transfer.backend import resolve_backend
from emocal_rl.platform.errors import ConfigError


def test_auto_follows_the_hardware() -> None:
    assert resolve_backend("auto", use_gpu=False) == "object_store"
    assert resolve_backend("auto", use_gpu=True) == "nccl"
    assert resolve_backend("auto", use_gpu=True, shares_gpus=True) == "ipc"
    assert resolve_backend("object_store", use_gpu=True) == "object_store"


@pytest.mark.parametrize("backend", ["nccl", "ipc"])
def test_gpu_backends_need_gpus(backend: str) -> None:
    with pytest.raises(ConfigError, match=f"weight_transfer.backend = '{backend}'.*Use auto or object_store"):
        resolve_backend(backend, use_gpu=False)  # type: ignore[arg-type]
