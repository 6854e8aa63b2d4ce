from typing import Any

from emocal_rl.cluster.session import RaySession
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.stages.ablation.resources import concurrency, phase_plans, trial_resources

CLUSTER = RaySession("here", {"CPU": 8.0, "GPU": 0.0}, own=True)


def test_a_trial_reserves_a_bundle_for_every_worker_of_its_cell(made_up: Any) -> None:
    configs = made_up.journal(seeds=1, grid={"rollout.num_workers": [1, 3]}).configs()
    resources = trial_resources(configs, "calibration", CLUSTER)
    assert resources.bundles["01-num_workers-1-seed-0".replace("_", "-")] == [
        {"CPU": 0.5}, {"CPU": 0.5}, {"CPU": 0.25}, {"CPU": 0.25}
    ]  # fmt: skip
    assert len(resources.bundles["02-num-workers-3-seed-0"]) == 6
    assert resources.concurrent is None


def test_trials_of_stage_1_are_bounded_in_number(made_up: Any) -> None:
    grid = {"reasoning.optimizer.learning_rate": [1e-3, 2e-3]}
    configs = made_up.journal(seeds=1, stage="reasoning", grid=grid).configs()
    resources = trial_resources(configs, "reasoning", CLUSTER)
    assert list(resources.bundles.values()) == [[{"CPU": 0.001}]] * 2
    assert resources.concurrent == 16


def test_how_many_trials_a_cluster_holds() -> None:
    config = resolve_config("smoke", sets=["learner.num_workers=3"])
    plans = phase_plans(config, 0)
    assert [plan.wanted["CPU"] for plan in plans] == [1.5, 0.5]
    assert concurrency(plans, {"CPU": 4.0}) == 2
    assert concurrency(plans, {"CPU": 1.0}) == 1
