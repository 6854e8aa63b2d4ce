import math

import pytest

from emocal_rl.cluster.placement import plan_placement
from emocal_rl.platform import gpus
from emocal_rl.platform.config.tree import Config


@pytest.mark.parametrize(
    ("visible", "count"),
    [(None, 8), ("0", 1), ("2,3", 2), ("", 0), ("NoDevFiles", 0), (",".join(map(str, range(12))), 8)],
)
def test_gpus_that_are_not_visible_are_not_planned_with(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, count: int
) -> None:
    monkeypatch.setattr(gpus, "gpu_names", lambda: ["NVIDIA H200"] * 8)
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpus.num_visible_gpus() == count


@pytest.mark.parametrize(("here", "elsewhere"), [(0, 0), (1, math.inf)])
def test_another_cluster_is_not_refused_what_this_machine_lacks(
    monkeypatch: pytest.MonkeyPatch, here: int, elsewhere: float
) -> None:
    monkeypatch.setattr(gpus, "num_visible_gpus", lambda: here)
    assert gpus.num_planned_gpus("local") == here
    assert gpus.num_planned_gpus("auto") == elsewhere
    config = Config.model_validate({"learner": {"num_workers": 4}})
    plan = plan_placement(config, gpus.num_planned_gpus("10.0.0.1:6379"))
    assert [role.num_gpus for role in plan.roles] == [min(here, 1.0)] * 3 + [0.0]
