from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.platform.contracts import RolloutGroup, RolloutRequest
from emocal_rl.platform.errors import DataError

TransferStep = Literal["init", "start", "update", "finish", "abort"]
Sampled = RolloutGroup | DataError
"""What comes of a request: its group, or why it cannot be sampled."""


class RolloutEngine(Protocol):
    """What samples responses and takes new weights. The product is `VLLMEngine`; tests may use `ScriptedEngine`."""

    def generate(self, requests: Sequence[RolloutRequest], weight_version: int) -> Iterator[tuple[int, Sampled]]:
        """Yield (index of the request, its group) as groups finish, while the other requests go on.

        In place of a group comes the error of a request that cannot be sampled: its prompt is too long, it has too many
        images, or one is damaged.

        Response i of a sample depends on `sampling.seed`, `sample.id`, i and the weights, not on what else is in the
        batch. Closing the iterator drops the unfinished requests.

        Args:
            requests: their images are encoded bytes.
            weight_version: what the responses are marked with.
        """
        ...

    def load_weights(self, snapshot: WeightSnapshot) -> None:
        """Replace all weights, and forget everything computed with the old ones.

        Raises:
            EngineError: the snapshot does not fit the model; its weights are then unusable until a snapshot that does.
        """
        ...

    def transfer_step(self, step: TransferStep, payload: dict[str, Any]) -> None:
        """Do one step of a weight update that the learner drives (backends nccl and ipc)."""
        ...
