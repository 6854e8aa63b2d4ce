"""GPU to GPU, past the object store: vLLM's own `nccl` and `ipc` backends, driven by the learner's ranks.

Never run: written against vLLM 0.32 and covered by contract tests, on machines without a GPU.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import torch
from vllm.distributed.weight_transfer import WeightTransferTrainerFactory
from vllm.distributed.weight_transfer.base import ParamMeta, WeightSource
from vllm.distributed.weight_transfer.ipc_engine import IPCTrainerInitInfo
from vllm.distributed.weight_transfer.nccl_engine import NCCLTrainerInitInfo

from emocal_rl.platform.errors import EngineError


class GatheredWeights(WeightSource):  # type: ignore[misc]  # vLLM has no types to check
    """What is sent next: full tensors under their Hugging Face names, the same on every rank."""

    def __init__(self) -> None:
        self.state: Mapping[str, torch.Tensor] = {}

    def metadata(self) -> list[Any]:
        """Names, types and shapes in the order of sending."""
        return [ParamMeta(name, tensor.dtype, tuple(tensor.shape)) for name, tensor in self.state.items()]

    def __iter__(self) -> Iterator[tuple[str, torch.Tensor]]:
        for name, tensor in self.state.items():
            yield name, tensor.detach().cuda()


class RolloutClient:
    """The learner's line to the rollout workers: vLLM's `VLLMWeightSyncClient`, over Ray actors.

    Args:
        workers: Ray handles of `RolloutWorker` actors.
        tensor_parallel_size: GPUs per worker; each is a rank of the NCCL group, after the learner's rank 0.
    """

    def __init__(self, workers: Sequence[Any], tensor_parallel_size: int) -> None:
        self._workers, self._tensor_parallel_size = workers, tensor_parallel_size
        self.weight_version = 0

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
        """Close the update; every worker then serves the new version."""
        version = self.weight_version if weight_version is None else int(weight_version)
        self._call_all("finish", {"weight_version": version})

    def abort(self) -> None:
        """Close a half-open update; the workers then serve no version."""
        self._call_all("abort")

    def _call_all(self, step: str, payload: dict[str, Any] | None = None) -> None:
        self._call(step, [payload or {}] * len(self._workers))

    def _call(self, step: str, payloads: Sequence[dict[str, Any]]) -> None:
        import ray

        ray.get(
            [
                worker.transfer_step.remote(step, payload)
                for worker, payload in zip(self._workers, payloads, strict=True)
            ]
        )


class DirectPublisher:
    """One learner rank's part in sending weights. Every rank creates one and calls `publish`; rank 0 sends.

    Args:
        trainer_engine: from `create_trainer_engine`.
        client: its client.
        source: its source.
        timeout_s: how long one update may take.
    """

    def __init__(self, trainer_engine: Any, client: RolloutClient, source: GatheredWeights, timeout_s: float) -> None:
        self._engine, self._client, self._source, self._timeout_s = trainer_engine, client, source, timeout_s

    def publish(self, state: Mapping[str, torch.Tensor], weight_version: int) -> None:
        """Send the weights and return when every worker serves them.

        The collective runs on a daemon thread: one that hangs must not take the process with it.

        Raises:
            EngineError: the update failed and was closed, or hangs; the workers of a hanging one must be restarted.
        """
        self._source.state, self._client.weight_version = state, weight_version
        failures: list[Exception] = []

        def send() -> None:
            try:
                self._engine.send_weights()
            except Exception as error:  # noqa: BLE001 - raised again on the calling thread
                failures.append(error)

        thread = threading.Thread(target=send, name="weight-transfer", daemon=True)
        thread.start()
        thread.join(self._timeout_s)
        if thread.is_alive():
            raise EngineError(f"sending weight version {weight_version} did not end within {self._timeout_s:g} s")
        if failures:
            if self._engine.is_sender:
                self._client.abort()
            raise EngineError(f"sending weight version {weight_version} failed: {failures[0]}") from failures[0]


def create_trainer_engine(
    backend: Literal["nccl", "ipc"],
    *,
    rank: int,
    num_receivers: int,
    rendezvous: tuple[str, int],
    client: RolloutClient,
    source: GatheredWeights,
) -> Any:
    """Connect this learner rank with the rollout workers through vLLM's trainer-side registry.

    Args:
        backend: nccl across GPUs, ipc where a rank shares its GPU with a rollout worker.
        rank: of this learner process.
        num_receivers: GPUs of all rollout workers together.
        rendezvous: host and free port of rank 0; nccl only.
        client: calls the workers.
        source: what will be sent.
    """
    if backend == "nccl":
        host, port = rendezvous
        init_info = NCCLTrainerInitInfo(
            master_address=host, master_port=port, world_size=1 + num_receivers, packed=True, rank=rank
        )
    else:
        init_info = IPCTrainerInitInfo(packed=True, rank=rank)
    return WeightTransferTrainerFactory.trainer_init(init_info, client=client, source=source)
