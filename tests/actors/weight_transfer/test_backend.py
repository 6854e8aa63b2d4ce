from typing import Any

import pytest

from emocal_rl.actors.weight_transfer.backend import resolve_backend
from emocal_rl.cluster.placement import PlacementPlan, plan_placement
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import ConfigError


def plan(num_gpus: float, **sections: Any) -> PlacementPlan:
    return plan_placement(Config.model_validate(sections), num_gpus)


LEARNER_ON_CPU = {"cluster": {"learner": {"num_gpus": 0}}}


def test_auto_follows_the_placement() -> None:
    assert resolve_backend("auto", plan(0)) == "object_store"
    assert resolve_backend("auto", plan(1)) == "ipc"
    assert resolve_backend("auto", plan(3)) == "nccl"
    assert resolve_backend("auto", plan(8, rollout={"tensor_parallel_size": 4})) == "nccl"
    assert resolve_backend("auto", plan(2, rollout={"num_workers": 2})) == "object_store"
    assert resolve_backend("auto", plan(8, **LEARNER_ON_CPU)) == "object_store"
    half = {"num_gpus": 0.5}
    assert resolve_backend("auto", plan(8, cluster={"learner": half, "reference": half})) == "nccl"


def test_a_configured_backend_that_can_work_is_taken() -> None:
    assert [resolve_backend("object_store", plan(num_gpus)) for num_gpus in (0, 1, 8)] == ["object_store"] * 3
    assert resolve_backend("nccl", plan(8)) == "nccl"
    assert resolve_backend("ipc", plan(1)) == "ipc"


@pytest.mark.parametrize(
    ("backend", "where", "rule"),
    [
        ("nccl", plan(0), "moves weights between GPUs, and rollout workers or learner have none"),
        ("ipc", plan(0), "moves weights between GPUs, and rollout workers or learner have none"),
        ("nccl", plan(8, **LEARNER_ON_CPU), "moves weights between GPUs, and rollout workers or learner have none"),
        ("nccl", plan(2, rollout={"num_workers": 2}), "joins whole GPUs, and a rollout worker has 0.5 of one"),
        ("ipc", plan(8), "needs rollout workers and learner on the same GPU, and they have GPUs of their own"),
        (
            "ipc",
            plan(2, rollout={"num_workers": 2}),
            "needs rollout workers and learner on the same GPU, and they go round 2",
        ),
    ],
)
def test_one_that_cannot_work_is_named_with_the_way_out(backend: Any, where: PlacementPlan, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_backend(backend, where)
    error = caught.value
    assert (error.key, error.value, error.rule) == ("weight_transfer.backend", backend, rule)
    assert error.fix == "Use auto or object_store."
