from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from emocal_rl.actors.rollout.scripted import ScriptedEngine
from emocal_rl.actors.rollout.worker import RolloutWorker
from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.platform.config.rollout import RolloutConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import RolloutRequest, Sample, SamplingParameters
from emocal_rl.platform.errors import DataError, EngineError

CONFIG = Config(rollout=RolloutConfig(engine="scripted"))
SNAPSHOT = WeightSnapshot({"w": np.ones(2, np.float32)}, frozenset())
LENGTHS = {"long": 30, "short": 3, "middle": 12}


def worker() -> RolloutWorker:
    return RolloutWorker("unused", CONFIG, ScriptedEngine(lambda asked, _: "x" * LENGTHS[asked.sample.id]))


def request(sample_id: str, num_responses: int = 2) -> RolloutRequest:
    sample = Sample(sample_id, ("a.png",), "Which?", ("awe",), "awe", "FI-8")
    return RolloutRequest(sample, (b"png",), SamplingParameters(num_responses, 1.0, 20))


def test_groups_leave_in_the_order_in_which_they_finish() -> None:
    groups = worker().generate([request(name) for name in LENGTHS], 0)
    assert [group.sample.id for group in groups] == ["short", "middle", "long"]


def test_a_stream_names_the_request_before_its_group() -> None:
    items = list(worker().stream([(40, request("long")), (7, request("short"))], 0))
    assert [items[0], items[2]] == [7, 40]
    assert [item.sample.id for item in items[1::2]] == ["short", "long"]  # type: ignore[union-attr]


def test_a_request_that_cannot_be_sampled_comes_as_its_number_and_the_reason() -> None:
    class Strict(ScriptedEngine):
        def generate(self, requests: Sequence[RolloutRequest], weight_version: int) -> Iterator[tuple[int, Any]]:
            yield 1, DataError("rows:2", rule="is too long")
            yield from super().generate(requests[:1], weight_version)

    rollouts = RolloutWorker("unused", CONFIG, Strict())
    refusal, number, group = rollouts.stream([(40, request("short")), (7, request("long"))], 0)
    assert isinstance(refusal, tuple)
    assert (refusal[0], str(refusal[1])) == (7, "rows:2: is too long.")
    assert (number, group.sample.id) == (40, "short")  # type: ignore[union-attr]
    with pytest.raises(DataError, match="rows:2: is too long"):
        list(rollouts.generate([request("short"), request("long")], 0))


def test_responses_say_which_weights_made_them_and_why_they_end() -> None:
    short, long = worker().generate([request("long"), request("short", 3)], 0)
    assert [(len(r.token_ids), r.finish_reason, r.weight_version) for r in short.responses] == [(4, "stop", 0)] * 3
    assert [(len(r.token_ids), r.finish_reason, r.text) for r in long.responses] == [(20, "length", "x" * 20)] * 2
    assert long.images == (b"png",)


def test_only_the_confirmed_version_is_served() -> None:
    rollouts = worker()
    assert rollouts.update_weights(SNAPSHOT, 4) == 4
    assert [r.weight_version for r in next(rollouts.generate([request("short")], 4)).responses] == [4, 4]
    with pytest.raises(EngineError, match="asked to sample with weights 3, but has 4"):
        next(rollouts.generate([request("short")], 3))


def test_a_failed_update_leaves_no_version() -> None:
    class Broken(ScriptedEngine):
        def load_weights(self, snapshot: WeightSnapshot) -> None:
            raise EngineError(f"no {len(snapshot.arrays)}")

    rollouts = RolloutWorker("unused", CONFIG, Broken())
    with pytest.raises(EngineError, match="no 1"):
        rollouts.update_weights(SNAPSHOT, 1)
    for version in (0, 1):
        with pytest.raises(EngineError, match="but has None"):
            next(rollouts.generate([request("short")], version))


def test_an_update_the_learner_drives_counts_from_its_end() -> None:
    rollouts = worker()
    rollouts.transfer_step("init", {"rank_offset": 1})
    assert rollouts.weight_version == 0
    rollouts.transfer_step("start", {})
    assert rollouts.weight_version is None
    rollouts.transfer_step("update", {"names": []})
    rollouts.transfer_step("finish", {"weight_version": 5})
    assert rollouts.weight_version == 5
    rollouts.transfer_step("abort", {})
    assert rollouts.weight_version is None


def test_the_configured_engine_answers_well_formed_and_right_by_default() -> None:
    (group,) = RolloutWorker("unused", CONFIG).generate([request("any", 3)], 0)
    assert [response.text[:7] for response in group.responses] == ["<think>"] * 3
