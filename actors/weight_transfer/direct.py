"""GPU to GPU, past the object store: vLLM's own `nccl` and `ipc` backends, driven by the learner's ranks.

Never run: written against vLLM 0.32 and covered by contract tests, on machines without a GPU.
"""

import logging
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import torch
from vllm.distributed.weight_transfer import WeightTransferTrainerFactory
from vllm.distributed.weight_transfer.base import ParamMeta, WeightSource
from vllm.distributed.weight_transfer.ipc_engine import IPCTrainerInitInfo
from vllm.distributed.weight_transfer.nccl_engine import NCCLTrainerInitInfo
from vllm.distributed.weight_transfer.packed_tensor import DEFAULT_PACKED_BUFFER_SIZE_BYTES

from emocal_rl.platform.errors import EngineError

_log = logging.getLogger(__name__)

_ABORT_TIMEOUT_S = 30.0
"""A worker that hangs in a collective does not answer at all."""


class GatheredWeights(WeightSource):  # type: ignore[misc]  # vLLM has no types to check
    """A learner rank's weights: full tensors under their Hugging Face names, in the same order on every rank.

    Args:
        describe: gives name, type and full shape of each without gathering it.
        gather: yields name and full tensor, on the GPU; a collective of the learner's ranks.
    """

    def __init__(
        self,
        describe: Callable[[], Sequence[tuple[str, torch.dtype, tuple[int, ...]]]],
        gather: Callable[[], Iterator[tuple[str, torch.Tensor]]],
    ) -> None:
        self._describe, self._gather = describe, gather

    def metadata(self) -> list[Any]:
        """Names, types and shapes in the order of sending."""
        return [ParamMeta(*description) for description in self._describe()]

    @property
    def largest_bytes(self) -> int:
        """Size of the largest weight."""
        return max(math.prod(shape) * dtype.itemsize for _, dtype, shape in self._describe())

    def __iter__(self) -> Iterator[tuple[str, torch.Tensor]]:
        if torch.cuda.is_available():
            # vLLM reads on streams of its own, which do not wait for the optimizer's.
            torch.cuda.synchronize()
        yield from self._gather()


class RolloutClient:
    """The learner's line to the rollout workers: vLLM's `VLLMWeightSyncClient`, over Ray actors.

    Args:
        workers: Ray handles of `RolloutWorker` actors.
        tensor_parallel_size: GPUs per worker; each is a rank of the NCCL group, after the learner's rank 0.
    """

    def __init__(self, workers: Sequence[Any], tensor_parallel_size: int) -> None:
        self._workers, self._tensor_parallel_size = workers, tensor_parallel_size
        self.weight_version = 0

    @property
    def num_receivers(self) -> int:
        """GPUs of all rollout workers together."""
        return len(self._workers) * self._tensor_parallel_size

    def init_weight_transfer_engine(self, init_info: dict[str, Any]) -> None:
        """Let every worker join; separate engines need separate ranks."""
        offsets = [{"rank_offset": 1 + index * self._tensor_parallel_size} for index in range(len(self._workers))]
        self._call("init", [init_info | (offset if "rank_offset" in init_info else {}) for offset in offsets])

    def start_weight_update(self) -> None:
        """Open the update."""
        self._call_all("start")

    def update_weights(self, update_info: dict[str, Any]) -> None:
        """Let every worker receive one chunk."""
        self._call_all("update", update_info)

    def finish_weight_update(self, weight_version: str | None = None) -> None:
        """Close the update; every worker then serves the new version.

        Raises:
            EngineError: some worker confirms another one.
        """
        version = self.weight_version if weight_version is None else int(weight_version)
        confirmed = self._call_all("finish", {"weight_version": version})
        if set(confirmed) != {version}:
            raise EngineError(f"rollout workers were sent weight version {version} and confirm {confirmed}")

    def abort(self) -> None:
        """Close a half-open update on the workers that still answer; they then serve no version."""
        import ray

        try:
            self._call_all("abort", timeout_s=_ABORT_TIMEOUT_S)
        except ray.exceptions.RayError as error:
            _log.warning("a rollout worker could not close its weight update: %s", error)

    def _call_all(self, step: str, payload: dict[str, Any] | None = None, timeout_s: float | None = None) -> list[Any]:
        return self._call(step, [payload or {}] * len(self._workers), timeout_s)

    def _call(self, step: str, payloads: Sequence[dict[str, Any]], timeout_s: float | None = None) -> list[Any]:
        import ray

        pairs = zip(self._workers, payloads, strict=True)
        answers: list[Any] = ray.get(
            [worker.transfer_step.remote(step, payload) for worker, payload in pairs], timeout=timeout_s
        )
        return answers


class DirectPublisher:
    """One learner rank's part in sending weights. Every rank creates one and calls `publish`; rank 0 sends.

    Args:
        trainer_engine: from `create_trainer_engine`.
        client: its client.
        timeout_s: how long one update may take.
    """

    def __init__(self, trainer_engine: Any, client: RolloutClient, timeout_s: float) -> None:
        self._engine, self._client, self._timeout_s = trainer_engine, client, timeout_s

    def publish(self, weight_version: int) -> None:
        """Send the weights and return when every worker serves them as `weight_version`.

        Raises:
            EngineError: the update failed or hangs, and was closed as far as workers answer. The connection is
                unusable; those of its workers that hang must be restarted.
        """
        self._client.weight_version = weight_version
        try:
            run_with_deadline(self._engine.send_weights, f"sending weight version {weight_version}", self._timeout_s)
        except EngineError:
            if self._engine.is_sender:
                self._client.abort()
            raise

    def close(self) -> None:
        """Leave the connection; another may follow."""
        self._engine.shutdown()


def connect(
    backend: Literal["nccl", "ipc"],
    client: RolloutClient,
    source: GatheredWeights,
    *,
    rank: int,
    rendezvous: tuple[str, int],
    timeout_s: float,
) -> DirectPublisher:
    """Connect this learner rank with the rollout workers; see `create_trainer_engine`.

    Raises:
        EngineError: they did not come together within `timeout_s`.
    """
    engine = run_with_deadline(
        lambda: create_trainer_engine(backend, client, source, rank=rank, rendezvous=rendezvous),
        f"connecting learner and rollout workers over {backend}",
        timeout_s,
    )
    return DirectPublisher(engine, client, timeout_s)


def create_trainer_engine(
    backend: Literal["nccl", "ipc"],
    client: RolloutClient,
    source: GatheredWeights,
    *,
    rank: int,
    rendezvous: tuple[str, int],
) -> Any:
    """Create this learner rank's sending engine through vLLM's trainer-side registry.

    Args:
        backend: nccl across GPUs, ipc where a rank shares its GPU with a rollout worker.
        client: calls the workers.
        source: what will be sent.
        rank: of this learner process.
        rendezvous: host and free port of rank 0; nccl only.
    """
    if backend == "nccl":
        host, port = rendezvous
        init_info = NCCLTrainerInitInfo(
            master_address=host, master_port=port, world_size=1 + client.num_receivers, packed=True, rank=rank
        )
    else:
        # No weight may be larger than the buffer, as the embedding of a 7B model is (1.1 GB in 16 bit).
        buffer_bytes = max(DEFAULT_PACKED_BUFFER_SIZE_BYTES, source.largest_bytes)
        init_info = IPCTrainerInitInfo(packed=True, packed_buffer_size_bytes=buffer_bytes, rank=rank)
    return WeightTransferTrainerFactory.trainer_init(init_info, client=client, source=source)


def run_with_deadline(action: Callable[[], Any], name: str, timeout_s: float) -> Any:
    """Run `action` on a daemon thread and return its result: one that hangs must not take the process with it.

    Raises:
        EngineError: it failed, or has not ended after `timeout_s`.
    """
    results: list[Any] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            results.append(action())
        except Exception as error:  # noqa: BLE001 - raised again on the calling thread
            failures.append(error)

    thread = threading.Thread(target=run, name="weight-transfer", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if failures:
        raise EngineError(f"{name} failed: {failures[0]}") from failures[0]
    if not results:
        raise EngineError(f"{name} did not end within {timeout_s:g} s")
    return results[0]
