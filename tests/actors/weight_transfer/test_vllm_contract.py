"""What this project takes from vLLM's weight-transfer API, which changes with almost every release (0.32 here)."""

import inspect
import os
import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest
import torch

from emocal_rl.actors.rollout import torchvision_shim

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _vllm() -> None:
    torchvision_shim.register()
    pytest.importorskip("vllm")


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_models_are_inspected_in_this_process_where_compiled_parts_are_missing() -> None:
    import vllm  # noqa: F401
    from vllm.model_executor.models import registry

    torchvision_shim.register()
    assert (registry._run_in_subprocess(os.getpid) == os.getpid()) == torchvision_shim.prepare_imports()


def test_the_registries_take_and_name_backends_as_assumed() -> None:
    from vllm.distributed.weight_transfer import WeightTransferEngineFactory, WeightTransferTrainerFactory

    from emocal_rl.actors.weight_transfer.object_store_engine import register_object_store_backend

    register_object_store_backend()
    register_object_store_backend()
    assert {"object_store", "nccl", "ipc"} <= set(WeightTransferEngineFactory._registry)
    assert {"nccl", "ipc"} <= set(WeightTransferTrainerFactory._registry)
    assert parameters(WeightTransferEngineFactory.create_engine) == ["config", "vllm_config", "device", "model"]
    assert parameters(WeightTransferTrainerFactory.trainer_init) == ["init_info", "client", "source"]


def test_an_engine_has_to_define_what_ours_defines() -> None:
    from vllm.distributed.weight_transfer.base import WeightSource, WeightTransferEngine

    from emocal_rl.actors.weight_transfer.direct import GatheredWeights
    from emocal_rl.actors.weight_transfer.object_store_engine import ObjectStoreWeightTransferEngine

    steps = {"init_transfer_engine", "start_weight_update", "receive_weights", "finish_weight_update", "shutdown"}
    assert WeightTransferEngine.__abstractmethods__ == steps
    assert not inspect.isabstract(ObjectStoreWeightTransferEngine)
    assert WeightSource.__abstractmethods__ == {"metadata", "__iter__"}
    assert not inspect.isabstract(GatheredWeights)


def test_the_worker_has_the_four_steps_and_the_state_the_session_relies_on() -> None:
    from vllm.v1.worker.gpu_worker import Worker

    assert parameters(Worker.init_weight_transfer_engine) == ["self", "init_info"]
    assert parameters(Worker.shutdown_weight_transfer_engine) == ["self"]
    assert parameters(Worker.start_weight_update) == ["self"]
    assert parameters(Worker.update_weights) == ["self", "update_info"]
    assert parameters(Worker.finish_weight_update) == ["self"]
    assert "self._weight_update_active" in inspect.getsource(Worker.__init__)


def test_an_executor_is_as_named_and_one_gpu_needs_no_child_process() -> None:
    from vllm.config import ParallelConfig

    assert ParallelConfig().distributed_executor_backend == "uni"
    spanning = ParallelConfig(tensor_parallel_size=2, distributed_executor_backend="mp")
    assert (spanning.distributed_executor_backend, spanning.use_ray) == ("mp", False)


def test_a_fresh_worker_process_that_has_no_transfer_engine_receives_snapshots() -> None:
    """As `MultiprocExecutor.collective_rpc` calls it: pickled, in a process where nobody has registered anything."""
    import cloudpickle

    from emocal_rl.actors.weight_transfer import session

    steps = cloudpickle.dumps((session._receive_snapshots, session._receive_as_usual))
    code = (
        "import sys, pickle\n"
        "from types import SimpleNamespace\n"
        "from emocal_rl.actors.rollout import torchvision_shim\n"
        "torchvision_shim.register()\n"
        "receive_snapshots, receive_as_usual = pickle.loads(sys.stdin.buffer.read())\n"
        "config = SimpleNamespace(weight_transfer_config=None, parallel_config=None, model_config=None)\n"
        "worker = SimpleNamespace(\n"
        "    vllm_config=config, device='cuda:1', get_model=lambda: 'model', weight_transfer_engine=None)\n"
        "receive_snapshots(SimpleNamespace(worker=worker))\n"
        "print(type(worker.weight_transfer_engine).__name__, worker.weight_transfer_engine.model)\n"
        "receive_as_usual(SimpleNamespace(worker=worker))\n"
        "print(worker.weight_transfer_engine)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=steps, capture_output=True, check=True)
    assert done.stdout.decode().split() == ["ObjectStoreWeightTransferEngine", "model", "None"]


def test_the_engine_offers_the_three_cache_resets() -> None:
    from vllm import LLMEngine

    for reset in (LLMEngine.reset_prefix_cache, LLMEngine.reset_encoder_cache, LLMEngine.reset_mm_cache):
        needed = [p for p in inspect.signature(reset).parameters.values() if p.default is p.empty]
        assert [parameter.name for parameter in needed] == ["self"]
    assert parameters(LLMEngine.collective_rpc) == ["self", "method", "timeout", "args", "kwargs"]


def test_the_client_protocol_is_the_one_our_client_speaks() -> None:
    from vllm.distributed.weight_transfer.base import VLLMWeightSyncClient

    from emocal_rl.actors.weight_transfer.direct import RolloutClient

    spoken = [name for name in vars(VLLMWeightSyncClient) if not name.startswith("_")]
    assert len(spoken) == 4
    for name in spoken:
        assert parameters(getattr(RolloutClient, name)) == parameters(getattr(VLLMWeightSyncClient, name))


def test_nccl_and_ipc_take_the_init_info_we_build(monkeypatch: pytest.MonkeyPatch) -> None:
    from vllm.distributed.weight_transfer import WeightTransferTrainerFactory
    from vllm.distributed.weight_transfer.nccl_common import NCCLWeightTransferInitInfo

    from emocal_rl.actors.weight_transfer.direct import GatheredWeights, RolloutClient, create_trainer_engine

    taken = []
    monkeypatch.setattr(WeightTransferTrainerFactory, "trainer_init", lambda info, **rest: taken.append((info, rest)))
    client = RolloutClient(["a", "b"], 2)
    embedding = ("embedding", torch.bfloat16, (152_064, 3_584))
    source = GatheredWeights(lambda: [("norm", torch.float32, (8,)), embedding], lambda: iter(()))
    for backend in ("nccl", "ipc"):
        create_trainer_engine(backend, client, source, rank=0, rendezvous=("10.0.0.1", 5000))  # type: ignore[arg-type]
    nccl, ipc = (info for info, _ in taken)
    assert (nccl.backend, nccl.master_address, nccl.master_port, nccl.world_size) == ("nccl", "10.0.0.1", 5000, 5)
    assert (ipc.backend, ipc.packed, ipc.is_sender) == ("ipc", True, True)
    assert ipc.packed_buffer_size_bytes == 152_064 * 3_584 * 2
    assert taken[0][1] == {"client": client, "source": source}
    assert "rank_offset" in {field.name for field in fields(NCCLWeightTransferInitInfo)}
