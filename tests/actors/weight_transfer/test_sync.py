"""The whole conversation of a weight update, with vLLM's own sending engines, minus Ray, GPUs and NCCL."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from emocal_rl.actors.learner.group import LearnerGroup
from emocal_rl.actors.learner.worker import LearnerWorker
from emocal_rl.actors.rollout import torchvision_shim
from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.actors.rollout.scripted import ScriptedEngine
from emocal_rl.actors.rollout.worker import RolloutWorker
from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.actors.weight_transfer.sync import WeightSync
from emocal_rl.platform.config.learner import LearnerConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import RolloutRequest, Sample, SamplingParameters
from emocal_rl.platform.errors import EngineError

pytestmark = pytest.mark.slow

STATE = {"embedding": torch.arange(6.0).reshape(2, 3), "norm": torch.ones(3, dtype=torch.bfloat16)}
Log = list[tuple[str, str, Any]]
"""(who, does what, with which detail), in the order of happening."""


class Actor:
    """Stands for a Ray handle: calls at once; a raised error is the result, and `ray.get` raises it."""

    def __init__(self, instance: Any) -> None:
        self.instance = instance

    def __getattr__(self, name: str) -> Any:
        def remote(*args: Any, **kwargs: Any) -> Any:
            values = [get(arg) if isinstance(arg, Result) else arg for arg in args]
            try:
                return Result(getattr(self.instance, name)(*values, **kwargs))
            except Exception as error:  # noqa: BLE001 - raised by get
                return Result(error)

        return SimpleNamespace(remote=remote)


class Result:
    """Stands for an object ref."""

    def __init__(self, value: Any) -> None:
        self.value = value


def get(refs: Any, timeout: float | None = None) -> Any:
    if isinstance(refs, list):
        return [get(ref) for ref in refs]
    if isinstance(refs.value, Exception):
        raise refs.value
    return refs.value


class FakeLearner:
    """One rank's policy."""

    def __init__(self, log: Log, rank: int) -> None:
        self._log, self._name = log, f"learner {rank}"

    def describe_weights(self) -> list[tuple[str, torch.dtype, tuple[int, ...]]]:
        return [(name, tensor.dtype, tuple(tensor.shape)) for name, tensor in STATE.items()]

    def named_weights(self) -> Iterator[tuple[str, torch.Tensor]]:
        for name, tensor in STATE.items():
            self._log.append((self._name, "gather", name))
            yield name, tensor


class FakeEngine(ScriptedEngine):
    """An engine that writes into the log, and can fail at a step."""

    def __init__(self, log: Log, index: int) -> None:
        super().__init__(lambda *_: "yes")
        self._log, self._name, self.fails_at = log, f"rollout {index}", ""

    def transfer_step(self, step: Any, payload: dict[str, Any]) -> None:
        self._log.append((self._name, step, payload))
        if step == self.fails_at:
            raise RuntimeError(f"no {step} today")

    def load_weights(self, snapshot: WeightSnapshot) -> None:
        self._log.append((self._name, "load", sorted(snapshot.arrays)))


class System:
    """Two learner ranks and two rollout workers of two GPUs each, and what happens between them."""

    def __init__(self, backend: Any) -> None:
        self.log: Log = []
        config = Config(learner=LearnerConfig(num_workers=2, num_threads=torch.get_num_threads(), timeout_s=5))
        ranks = [LearnerWorker(config, rank) for rank in range(2)]
        for rank, worker in enumerate(ranks):
            worker._learner = FakeLearner(self.log, rank)  # type: ignore[assignment]
            worker.address = lambda: "10.0.0.1:5000"  # type: ignore[method-assign]
        self.engines = [FakeEngine(self.log, index) for index in range(2)]
        self.rollouts = [RolloutWorker("", config, engine, backend) for engine in self.engines]
        self.pool = RolloutPool([Actor(worker) for worker in self.rollouts], max_restarts=3)
        self.learner = LearnerGroup([Actor(rank) for rank in ranks])
        self.sync = WeightSync(self.learner, self.pool, backend, tensor_parallel_size=2)

    def steps(self, who: str) -> list[str]:
        return [step for name, step, _ in self.log if name == who]

    def restart(self, index: int) -> None:
        """Let Ray replace a rollout worker by a fresh one, with the weights of the model's files."""
        self.rollouts[index].weight_version = 0


@pytest.fixture(autouse=True)
def _no_ray_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    torchvision_shim.register()
    pytest.importorskip("vllm")
    from vllm.distributed.weight_transfer import ipc_engine, nccl_engine

    monkeypatch.setattr(ray, "get", get)
    monkeypatch.setattr(ray, "wait", lambda refs, **_: (refs, []))
    monkeypatch.setattr(nccl_engine, "open_trainer_endpoint", lambda _: SimpleNamespace(destroy=lambda: None))
    monkeypatch.setattr(nccl_engine, "packed_nccl_broadcast_producer", lambda iterator, **_: list(iterator))
    monkeypatch.setattr(ipc_engine, "packed_ipc_producer", packed_ipc_producer)
    monkeypatch.setattr(torch.accelerator, "current_device_index", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(uuid="GPU-0"))
    monkeypatch.setattr(torch.cuda, "ipc_collect", lambda: None)


def packed_ipc_producer(iterator: Iterator[tuple[str, torch.Tensor]], gpu_uuid: str, **_: Any) -> Iterator[Any]:
    from vllm.distributed.weight_transfer.packed_tensor import PackedIpcChunk

    for name, tensor in iterator:
        dtype = str(tensor.dtype).removeprefix("torch.")
        yield PackedIpcChunk([name], [list(tensor.shape)], [dtype], [tensor.nbytes], {gpu_uuid: ("handle", name)})


@pytest.fixture
def start() -> Callable[[str], System]:
    return System


def test_nccl_takes_every_rank_and_worker_through_every_step_in_order(start: Callable[[str], System]) -> None:
    from vllm.distributed.weight_transfer.nccl_engine import NCCLWeightTransferUpdateInfo

    system = start("nccl")
    system.sync.push()
    inits = [detail for _, step, detail in system.log if step == "init"]
    assert [(init["rank_offset"], init["world_size"], init["master_port"]) for init in inits] == [
        (1, 5, 5000),
        (3, 5, 5000),
    ]
    everybody = [(name, step) for name, step, _ in system.log if name != "learner 1" and step != "gather"]
    assert everybody == [
        (f"rollout {index}", step) for step in ("init", "start", "update", "finish") for index in range(2)
    ]
    for rank in range(2):
        assert [detail for name, _, detail in system.log if name == f"learner {rank}"] == list(STATE)
    told = [detail for _, step, detail in system.log if step == "update"]
    described = NCCLWeightTransferUpdateInfo(list(STATE), ["float32", "bfloat16"], [[2, 3], [3]])
    assert told == [asdict(described)] * 2
    assert system.learner.weight_version == 1
    assert [worker.weight_version for worker in system.rollouts] == [1, 1]


def test_ipc_sends_chunk_by_chunk(start: Callable[[str], System]) -> None:
    system = start("ipc")
    system.sync.push()
    assert system.steps("rollout 1") == ["init", "start", "update", "update", "finish"]
    chunks = [detail for name, step, detail in system.log if (name, step) == ("rollout 0", "update")]
    assert [chunk["ipc_handles"] for chunk in chunks] == [{"GPU-0": ("handle", name)} for name in STATE]
    assert [chunk["tensor_sizes"] for chunk in chunks] == [[24], [6]]
    assert system.steps("learner 1") == ["gather", "gather"]
    assert [worker.weight_version for worker in system.rollouts] == [1, 1]


def test_a_connection_lasts_until_a_worker_is_replaced(start: Callable[[str], System]) -> None:
    system = start("nccl")
    for _ in range(2):
        system.sync.push()
    assert system.steps("rollout 0").count("init") == 1
    system.restart(1)
    system.sync.push()
    assert system.steps("rollout 0").count("init") == system.steps("rollout 1").count("init") == 2
    assert system.steps("rollout 1")[-4:] == ["init", "start", "update", "finish"]
    assert "load" not in system.steps("rollout 1")
    assert system.pool.num_deaths == 1
    assert [worker.weight_version for worker in system.rollouts] == [3, 3]


def test_a_worker_revived_while_sampling_catches_up_from_a_snapshot_taken_then(start: Callable[[str], System]) -> None:
    system = start("nccl")
    system.sync.push()
    system.restart(1)
    system.log.clear()
    system.pool._revive(system.pool.workers[1], RuntimeError("died"))
    assert system.steps("learner 0") == system.steps("learner 1") == ["gather", "gather"]
    assert [entry for entry in system.log if entry[0].startswith("rollout")] == [("rollout 1", "load", list(STATE))]
    assert [worker.weight_version for worker in system.rollouts] == [1, 1]
    assert system.learner.weight_version == 1


@pytest.mark.parametrize("backend", ["nccl", "ipc"])
@pytest.mark.parametrize("step", ["start", "update", "finish"])
def test_a_failure_on_the_way_closes_the_update_and_leaves_no_version(
    start: Callable[[str], System], backend: str, step: str
) -> None:
    system = start(backend)
    system.sync.push()
    system.engines[1].fails_at = step
    with pytest.raises(EngineError, match=f"sending weight version 2 failed: no {step} today"):
        system.sync.push()
    assert [system.steps(f"rollout {index}")[-1] for index in range(2)] == ["abort", "abort"]
    assert [worker.weight_version for worker in system.rollouts] == [None, None]
    assert system.learner.weight_version == 1
    request = RolloutRequest(Sample("a", (), "Which?", ("awe",), "awe", "FI-8"), (), SamplingParameters(1, 1.0, 4))
    for worker in system.rollouts:
        for version in (1, 2):
            with pytest.raises(EngineError, match="but has None"):
                next(worker.generate([request], version))


def test_a_worker_that_confirms_another_version_fails_the_update(
    start: Callable[[str], System], monkeypatch: pytest.MonkeyPatch
) -> None:
    system = start("nccl")
    monkeypatch.setattr(system.rollouts[1], "transfer_step", lambda step, _: 7 if step == "finish" else None)
    with pytest.raises(EngineError, match=r"were sent weight version 1 and confirm \[1, 7\]"):
        system.sync.push()
    assert system.steps("rollout 0")[-1] == "abort"


def test_a_worker_that_cannot_join_ends_it_before_anything_is_sent(start: Callable[[str], System]) -> None:
    system = start("nccl")
    system.engines[0].fails_at = "init"
    with pytest.raises(EngineError, match="connecting learner and rollout workers over nccl failed: no init today"):
        system.sync.push()
    assert system.steps("rollout 0") == ["init"]
    assert system.learner.weight_version == 0


def test_a_transfer_that_hangs_is_given_up(start: Callable[[str], System], monkeypatch: pytest.MonkeyPatch) -> None:
    from vllm.distributed.weight_transfer import nccl_engine

    # Never set: let go after the test, the hanging thread would go on to a real Ray, and that starts a cluster.
    system, never = start("nccl"), threading.Event()
    system.sync.push()
    for rank in system.learner.workers:
        rank.instance._publisher._timeout_s = 0.2
    monkeypatch.setattr(nccl_engine, "packed_nccl_broadcast_producer", lambda **_: never.wait())
    with pytest.raises(EngineError, match=r"sending weight version 2 did not end within 0\.2 s"):
        system.sync.push()
    assert [worker.weight_version for worker in system.rollouts] == [None, None]


def test_through_the_object_store_one_snapshot_serves_all(start: Callable[[str], System]) -> None:
    system = start("object_store")
    system.sync.push()
    assert [system.steps(f"learner {rank}") for rank in range(2)] == [["gather", "gather"]] * 2
    loaded = [(f"rollout {index}", "load", list(STATE)) for index in range(2)]
    assert [entry for entry in system.log if entry[0].startswith("rollout")] == loaded
    assert [worker.weight_version for worker in system.rollouts] == [1, 1]
    assert system.learner.weight_version == 1
