from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from emocal_rl.actors.rollout.engine import RolloutEngine, Sampled, TransferStep
from emocal_rl.actors.weight_transfer.backend import Backend
from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import RolloutGroup, RolloutRequest
from emocal_rl.platform.errors import DataError, EngineError


class RolloutWorker:
    """One Ray actor's work: an engine, and the version of the weights in it. Also runs without Ray.

    The weights of `model_dir` count as version 0.

    Args:
        model_dir: local Hugging Face checkpoint.
        config: of the run.
        engine: takes the place of the engine that `config.rollout.engine` names.
        backend: how the engine can receive weights, beside snapshots, which it always takes.
    """

    def __init__(
        self,
        model_dir: str,
        config: Config,
        engine: RolloutEngine | None = None,
        backend: Backend = "object_store",
    ) -> None:
        self._engine = engine or _create_engine(model_dir, config, backend)
        self.weight_version: int | None = 0

    def ready(self) -> int | None:
        """Answer once the engine is loaded: with the weight version it serves, None after a failed update."""
        return self.weight_version

    def update_weights(self, snapshot: WeightSnapshot, weight_version: int) -> int:
        """Load the weights of `weight_version` and confirm it.

        Raises:
            EngineError: they do not fit; the worker then serves no version until an update succeeds.
        """
        self.weight_version = None
        self._engine.load_weights(snapshot)
        self.weight_version = weight_version
        return weight_version

    def transfer_step(self, step: TransferStep, payload: dict[str, Any]) -> int | None:
        """Do one step of a weight update that the learner drives; a "finish" carries the `weight_version` to serve.

        Returns:
            The version served after it; None from "start" to "finish", and for good when a step fails.
        """
        if step != "init":
            self.weight_version = None
        self._engine.transfer_step(step, payload)
        if step == "finish":
            self.weight_version = payload["weight_version"]
        return self.weight_version

    def generate(self, requests: Sequence[RolloutRequest], weight_version: int) -> Iterator[RolloutGroup]:
        """Yield the groups of `requests` in the order in which they finish.

        Raises:
            DataError: a request cannot be sampled.
        """
        for _, sampled in self._generate(requests, weight_version):
            if isinstance(sampled, DataError):
                raise sampled
            yield sampled

    def stream(
        self, numbered: Sequence[tuple[int, RolloutRequest]], weight_version: int
    ) -> Iterator[int | RolloutGroup | tuple[int, DataError]]:
        """Yield each request's number and then its group, in the order in which groups finish.

        A Ray streaming generator makes each item an object: the driver fetches the numbers and passes the groups on.
        In place of the number of a request that cannot be sampled, and of its group, comes (number, error).
        """
        for index, sampled in self._generate([request for _, request in numbered], weight_version):
            number = numbered[index][0]
            if isinstance(sampled, DataError):
                yield number, sampled
            else:
                yield number
                yield sampled

    def _generate(self, requests: Sequence[RolloutRequest], weight_version: int) -> Iterator[tuple[int, Sampled]]:
        if weight_version != self.weight_version:
            raise EngineError(f"asked to sample with weights {weight_version}, but has {self.weight_version}")
        fetched = [replace(request, images=_fetch(request.images)) for request in requests]
        for index, sampled in self._engine.generate(fetched, weight_version):
            if isinstance(sampled, DataError):
                yield index, sampled
            else:
                yield index, replace(sampled, images=requests[index].images)


def _fetch(images: Sequence[Any]) -> tuple[bytes, ...]:
    if all(isinstance(image, bytes) for image in images):
        return tuple(images)
    import ray

    return tuple(image if isinstance(image, bytes) else ray.get(image) for image in images)


def _create_engine(model_dir: str, config: Config, backend: Backend) -> RolloutEngine:
    if config.rollout.engine == "scripted":
        from emocal_rl.actors.rollout.scripted import ScriptedEngine

        return ScriptedEngine()
    from emocal_rl.actors.rollout.vllm_engine import VLLMEngine

    return VLLMEngine(model_dir, config, backend)
