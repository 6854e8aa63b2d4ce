import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from emocal_rl.actors.learner.examples import SFTItem, TrainingGroup
from emocal_rl.actors.learner.learner import Learner
from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.platform.config.learner import OptimizerConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import LossDenominators, LossSum, RolloutGroup, UpdateStatistics

if TYPE_CHECKING:  # it imports vLLM, which only the direct backends need here
    from emocal_rl.actors.weight_transfer.direct import DirectPublisher


class LearnerWorker:
    """One learner rank as a Ray actor: fetches what refs stand for and hands it to its `Learner`.

    Args:
        config: the run's configuration.
        rank: this rank of `config.learner.num_workers`.
    """

    def __init__(self, config: Config, rank: int) -> None:
        self._config, self._rank = config, rank
        num_workers = config.learner.num_workers
        torch.set_num_threads(config.learner.num_threads or max(1, len(os.sched_getaffinity(0)) // num_workers))
        self._learner: Learner | None = None
        self._publisher: DirectPublisher | None = None

    def address(self) -> str:
        """`host:port` on this node where the ranks can meet; asked of rank 0."""
        import ray

        with socket.socket() as probe:
            probe.bind(("", 0))
            return f"{ray.util.get_node_ip_address()}:{probe.getsockname()[1]}"

    def start(
        self,
        model_dir: str,
        optimizer: OptimizerConfig,
        address: str | None,
        *,
        total_steps: int,
        freeze_vision: bool,
        freeze_projector: bool,
        scaffold_kl: float,
    ) -> None:
        """Load the model and join the other ranks; see `Learner`."""
        self._learner = Learner(
            model_dir,
            self._config,
            optimizer,
            total_steps=total_steps,
            freeze_vision=freeze_vision,
            freeze_projector=freeze_projector,
            scaffold_kl=scaffold_kl,
            rank=self._rank,
            world_size=self._config.learner.num_workers,
            address=address,
        )

    def update(
        self, shard: Sequence[tuple[Any, Any, Any, Any]], denominators: LossDenominators, idle: bool
    ) -> UpdateStatistics:
        """`Learner.update` of (group, scored group, reference log-probs, old log-probs), refs or values."""
        groups = _groups_with_images([group for group, *_ in shard])
        training_groups = [
            TrainingGroup(group, *(_fetch(part) for part in rest))
            for group, (_, *rest) in zip(groups, shard, strict=True)
        ]
        return self._started.update(training_groups, denominators, idle=idle)

    def prepare(self, shard: Sequence[SFTItem]) -> None:
        """`Learner.prepare`, images as refs or bytes."""
        self._started.prepare(_items_with_images(shard))

    def sft_step(self, shard: Sequence[SFTItem], max_length: int, idle: bool) -> UpdateStatistics:
        """`Learner.sft_step`, images as refs or bytes."""
        return self._started.sft_step(_items_with_images(shard), max_length, idle=idle)

    def sft_loss(self, shard: Sequence[SFTItem], max_length: int, idle: bool) -> LossSum:
        """`Learner.sft_loss`, images as refs or bytes."""
        return self._started.sft_loss(_items_with_images(shard), max_length, idle=idle)

    def logprobs(self, groups: Sequence[Any]) -> list[list[npt.NDArray[np.float32]]]:
        """`Learner.logprobs` of groups, refs or values."""
        return self._started.logprobs(_groups_with_images(groups))

    def snapshot(self) -> WeightSnapshot | None:
        """All weights on rank 0; the other ranks only take part in gathering them."""
        weights = self._started.named_weights()
        if self._rank == 0:
            return WeightSnapshot.of({name: tensor.to("cpu", copy=True) for name, tensor in weights})
        for _ in weights:
            pass
        return None

    def connect(
        self, backend: Literal["nccl", "ipc"], rollouts: Sequence[Any], tensor_parallel_size: int, address: str
    ) -> None:
        """Connect this rank with the rollout workers in place of an earlier connection; see `direct.connect`."""
        from emocal_rl.actors.weight_transfer import direct

        if self._publisher is not None:
            self._publisher.close()
        host, _, port = address.rpartition(":")
        self._publisher = direct.connect(
            backend,
            direct.RolloutClient(rollouts, tensor_parallel_size),
            direct.GatheredWeights(self._started.describe_weights, self._started.named_weights),
            rank=self._rank,
            rendezvous=(host, int(port)),
            timeout_s=self._config.learner.timeout_s,
        )

    def send(self, weight_version: int) -> None:
        """Take this rank's part in sending the weights to the rollout workers; see `DirectPublisher.publish`."""
        assert self._publisher is not None, "connect() comes first"
        self._publisher.publish(weight_version)

    def export_hf(self, directory: str) -> None:
        """`Learner.export_hf`."""
        self._started.export_hf(Path(directory))

    def save_checkpoint(self, directory: str, weight_version: int) -> None:
        """`Learner.save_checkpoint`."""
        self._started.save_checkpoint(Path(directory), weight_version)

    def load_checkpoint(self, directory: str) -> int:
        """`Learner.load_checkpoint`."""
        return self._started.load_checkpoint(Path(directory))

    @property
    def _started(self) -> Learner:
        assert self._learner is not None, "start() comes first"
        return self._learner


def _fetch(value: Any) -> Any:
    import ray

    return ray.get(value) if isinstance(value, ray.ObjectRef) else value


def _items_with_images(items: Sequence[SFTItem]) -> list[SFTItem]:
    return [replace(item, images=tuple(_fetch(image) for image in item.images)) for item in items]


def _groups_with_images(groups: Sequence[Any]) -> list[RolloutGroup]:
    """Fetch groups and the images they refer to."""
    fetched = [_fetch(group) for group in groups]
    return [replace(group, images=tuple(_fetch(image) for image in group.images)) for group in fetched]
