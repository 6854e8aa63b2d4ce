from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from emocal_rl.actors.learner.examples import TrainingGroup, encode_policy_examples
from emocal_rl.actors.rollout.token_ends import token_ends
from emocal_rl.platform.contracts import Response, RewardedResponse, RolloutGroup, Sample, ScoredGroup

PIECES = ["<answer>", "awe", "</answer><conf", "idence>", "0.", "85</confid", "ence>", ""]
ENCODER: Any = SimpleNamespace(encode_group=lambda group: [SimpleNamespace(response_ids=r) for r in group.responses])


def response(pieces: Sequence[str]) -> Response:
    def decode(ids: Sequence[int]) -> str:
        return "".join(pieces[index] for index in ids)

    ids = np.arange(len(pieces), dtype=np.int32)
    logprobs = np.zeros(len(pieces), np.float32)
    return Response("".join(pieces), ids, logprobs, "stop", 1, token_ends(ids.tolist(), decode))


def advantages(responses: Sequence[Response], confidences: Sequence[float | None], **scored: Any) -> list[torch.Tensor]:
    sample = Sample("s", (), "?", ("awe", "fear"), "awe", "t")
    rewarded = tuple(RewardedResponse({}, 0.0, True, value, True, "awe") for value in confidences)
    group = RolloutGroup(sample, (), np.zeros(2, np.int32), tuple(responses))
    scores = ScoredGroup("s", "t", rewarded, (0.5, -2.0), tuple(len(r.token_ids) for r in responses), 2, **scored)
    return [example.advantages for example in encode_policy_examples(TrainingGroup(group, scores), ENCODER)]


def test_every_token_has_its_responses_advantage() -> None:
    first, second = advantages([response(PIECES), response(["no", "ne"])], [0.85, None])
    assert first.tolist() == [0.5] * 8
    assert second.tolist() == [-2.0] * 2


def test_tokens_of_the_stated_confidence_have_their_own() -> None:
    responses = [response(PIECES), response(["no", "ne"])]
    first, second = advantages(responses, [0.85, None], confidence_advantages=(3.0, None))
    # Any character of the part makes a token its own; the end-of-turn token, without one, is the response's.
    assert first.tolist() == [0.5, 0.5, 3.0, 3.0, 3.0, 3.0, 3.0, 0.5]
    assert second.tolist() == [-2.0] * 2


def test_without_token_ends_it_cannot_be_told() -> None:
    responses = [replace(response(PIECES), token_ends=None), response(["no", "ne"])]
    with pytest.raises(AssertionError, match="token ends"):
        advantages(responses, [0.85, None], confidence_advantages=(3.0, None))
