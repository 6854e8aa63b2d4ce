from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from emocal_rl.actors.rollout.engine import TransferStep
from emocal_rl.actors.rollout.token_ends import token_ends
from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.platform.contracts import Response, RolloutGroup, RolloutRequest, SamplingParameters

Script = Callable[[RolloutRequest, int], str]
"""(request, response index) -> response text."""

_END = 0
"""Token that ends a turn; other tokens are the text's bytes plus one."""


class ScriptedEngine:
    """A `RolloutEngine` without a model: it says what the script says, a byte a token, a token of each response a step.

    So a short group finishes before a long one, as with a real engine. All log-probs are 0; those of first words are
    -1, -2, ... in their order.

    Args:
        script: what to answer; a well-formed response with the sample's label unless given.
    """

    def __init__(self, script: Script | None = None) -> None:
        self._script = script or _right_answer
        self.snapshots: list[WeightSnapshot] = []
        self.transfer_steps: list[tuple[TransferStep, dict[str, Any]]] = []

    def generate(self, requests: Sequence[RolloutRequest], weight_version: int) -> Iterator[tuple[int, RolloutGroup]]:
        """Yield groups, shortest first; see `RolloutEngine`."""
        groups = [(index, self._group(request, weight_version)) for index, request in enumerate(requests)]
        yield from sorted(groups, key=lambda item: max(len(response.token_ids) for response in item[1].responses))

    def load_weights(self, snapshot: WeightSnapshot) -> None:
        """Remember the snapshot; see `RolloutEngine`."""
        self.snapshots.append(snapshot)

    def transfer_step(self, step: TransferStep, payload: dict[str, Any]) -> None:
        """Remember the step; see `RolloutEngine`."""
        self.transfer_steps.append((step, payload))

    def _group(self, request: RolloutRequest, weight_version: int) -> RolloutGroup:
        responses = tuple(
            _respond(self._script(request, index), request.sampling, weight_version)
            for index in range(request.sampling.num_responses)
        )
        return RolloutGroup(request.sample, request.images, _tokens(request.sample.question), responses)


def _tokens(text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    return np.frombuffer(text.encode(), np.uint8).astype(np.int32) + 1


def _decode(token_ids: Sequence[int]) -> str:
    return bytes(token - 1 for token in token_ids if token != _END).decode(errors="replace")


def _respond(text: str, sampling: SamplingParameters, weight_version: int) -> Response:
    max_new_tokens = sampling.max_new_tokens
    token_ids = np.append(_tokens(text), np.int32(_END))
    cut = len(token_ids) > max_new_tokens
    return Response(
        text=text.encode()[:max_new_tokens].decode(errors="replace"),
        token_ids=token_ids[:max_new_tokens],
        logprobs=np.zeros(min(len(token_ids), max_new_tokens), np.float32),
        finish_reason="length" if cut else "stop",
        weight_version=weight_version,
        token_ends=token_ends(token_ids[:max_new_tokens].tolist(), _decode) if sampling.token_ends else None,
        first_word_logprobs=tuple(-float(place) for place in range(1, 1 + len(sampling.first_words))),
    )


def _right_answer(request: RolloutRequest, index: int) -> str:
    parts = "".join(f"<{part}>seen</{part}>" for part in ("element", "human", "context", "interaction", "analysis"))
    confidence = (index + 1) / (request.sampling.num_responses + 1)
    return f"<think>{parts}</think><answer>{request.sample.label}</answer><confidence>{confidence:.2f}</confidence>"
