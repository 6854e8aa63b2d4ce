from typing import Any

import pytest

from emocal_rl.cluster.placement import Placement, PlacementPlan, plan_placement, reserve
from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.cluster import ClusterConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import PlacementError


def config_with(**sections: object) -> Config:
    return Config.model_validate(sections)


def test_roles_get_consecutive_bundles_and_totals_add_up() -> None:
    plan = plan_placement(config_with(rollout={"num_workers": 2}, learner={"num_workers": 3}), num_gpus=0)
    assert [(r.role, r.places) for r in plan.roles] == [
        ("rollout", (0, 1)),
        ("learner", (2, 3, 4)),
        ("reference", (5,)),
        ("reward", (6,)),
    ]
    assert plan.bundles == [{"CPU": 1.0}] * 6 + [{"CPU": 0.5}]
    assert plan.wanted == {"CPU": 6.5, "GPU": 0}


def test_no_reference_worker_without_kl() -> None:
    plan = plan_placement(config_with(loss={"kl_coefficient": 0}), num_gpus=0)
    assert plan.role("reference") is None
    assert [role.role for role in plan.roles] == ["rollout", "learner", "reward"]
    assert plan.roles[-1].places == (2,)


def test_a_smaller_job_reserves_only_its_own_roles() -> None:
    plan = plan_placement(config_with(rollout={"num_workers": 2}), 2, only=["rollout"])
    assert [(r.role, r.num_gpus, r.places) for r in plan.roles] == [("rollout", 1.0, (0, 1))]


@pytest.mark.parametrize(("num_gpus", "share"), [(8, 1.0), (4, 1.0), (3, 0.5), (2, 0.5)])
def test_gpus_are_whole_where_they_suffice_and_shared_where_not(num_gpus: float, share: float) -> None:
    plan = plan_placement(config_with(rollout={"num_workers": 2}), num_gpus=num_gpus)
    assert {role.role: role.num_gpus for role in plan.roles} == {
        "rollout": share,
        "learner": share,
        "reference": share,
        "reward": 0,
    }


def test_workers_of_one_role_that_share_gpus_are_on_different_ones() -> None:
    plan = plan_placement(config_with(rollout={"num_workers": 2}, learner={"num_workers": 2}), num_gpus=4)
    assert [(role.role, role.places) for role in plan.roles] == [
        ("rollout", (0, 1)),
        ("learner", (2, 3)),
        ("reference", (0,)),
        ("reward", (4,)),
    ]
    assert plan.bundles == [{"CPU": 2.0, "GPU": 1.0}, *[{"CPU": 1.0, "GPU": 1.0}] * 3, {"CPU": 0.5}]
    assert plan.wanted == {"CPU": 5.5, "GPU": 4.0}


@pytest.mark.parametrize("num_rollouts", range(1, 5))
@pytest.mark.parametrize("num_ranks", range(1, 5))
@pytest.mark.parametrize("num_gpus", range(1, 10))
def test_no_gpu_holds_two_workers_of_a_role_or_more_than_its_share(
    num_rollouts: int, num_ranks: int, num_gpus: int
) -> None:
    config = config_with(rollout={"num_workers": num_rollouts}, learner={"num_workers": num_ranks})
    if max(num_rollouts, num_ranks) > num_gpus:
        with pytest.raises(PlacementError, match=rf"num_workers={num_gpus}, or more GPUs"):
            plan_placement(config, num_gpus)
        return
    plan = plan_placement(config, num_gpus)
    taken: dict[int, float] = {}
    for role in plan.roles:
        assert len(set(role.places)) == role.count
        for place in role.places:
            taken[place] = taken.get(place, 0.0) + role.num_gpus
    assert all(amount <= plan.bundles[place].get("GPU", 0.0) + 1e-9 for place, amount in taken.items())
    assert plan.wanted["GPU"] == min(num_gpus, num_rollouts + num_ranks + 1)


def test_one_gpu_takes_no_second_learner_rank() -> None:
    with pytest.raises(PlacementError) as caught:
        plan_placement(config_with(learner={"num_workers": 2}), num_gpus=1)
    assert (caught.value.key, caught.value.value) == ("learner.num_workers", 2)
    assert "Use --set learner.num_workers=1, or more GPUs" in str(caught.value)
    half = config_with(learner={"num_workers": 2}, cluster={"learner": {"num_gpus": 0.5}})
    with pytest.raises(PlacementError, match=r"cluster.learner.num_gpus = 0.5: NCCL takes one learner rank per GPU"):
        plan_placement(half, num_gpus=8)


def test_tensor_parallel_engine_takes_its_gpus_in_one_bundle() -> None:
    plan = plan_placement(config_with(rollout={"tensor_parallel_size": 4}), num_gpus=8)
    assert plan.bundles[0] == {"CPU": 1.0, "GPU": 4.0}


def test_a_tensor_parallel_engine_does_not_share_gpus() -> None:
    with pytest.raises(PlacementError, match="the roles want 4 GPUs and there are 2"):
        plan_placement(config_with(rollout={"tensor_parallel_size": 2}), num_gpus=2)


def environment_of(plan: PlacementPlan, role: Any, env: dict[str, str] | None = None) -> dict[str, str]:
    options = Placement(plan, group=None).actor_options(role, env=env)
    return dict(options.get("runtime_env", {}).get("env_vars", {}))


def test_a_role_without_gpus_sees_none() -> None:
    plan = plan_placement(config_with(cluster={"reference": {"num_gpus": 0}}), num_gpus=2)
    assert environment_of(plan, "reference") == {"CUDA_VISIBLE_DEVICES": ""}
    assert environment_of(plan, "reward", {"A": "1"}) == {"CUDA_VISIBLE_DEVICES": "", "A": "1"}
    assert environment_of(plan, "learner") == {}
    assert environment_of(plan, "rollout", {"A": "1"}) == {"A": "1"}
    assert environment_of(plan_placement(config_with(), num_gpus=0), "reference") == {}


def test_a_negative_number_of_gpus_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        config_with(cluster={"reference": {"num_gpus": -1}})


@pytest.mark.ray
def test_impossible_placement_says_what_was_wanted_and_what_is_there() -> None:
    plan = plan_placement(config_with(rollout={"num_workers": 40}), num_gpus=0)
    with (
        ray_session(ClusterConfig(num_cpus=2, object_store_gib=0.1)),
        pytest.raises(PlacementError) as caught,
        reserve(plan, strategy="PACK", timeout_s=5),
    ):
        pass
    table = [line.split() for line in str(caught.value).splitlines()]
    assert ["rollout", "40", "1", "0"] in table
    assert ["wanted", "42.5", "0"] in table
    assert ["in", "total", "2", "0"] in table
    assert "rollout.num_workers" in str(caught.value)
