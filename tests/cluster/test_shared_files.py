import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from emocal_rl.cluster import shared_files
from emocal_rl.cluster.placement import Placement, plan_placement
from emocal_rl.cluster.shared_files import check_shared, find_absent
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import PlacementError

PLACEMENT = Placement(plan_placement(Config(), 0), group="group")


class RayError(Exception):
    """Stands for ray.exceptions.RayError."""


@pytest.fixture
def on_nodes(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let workers be on nodes, the driver on "here"; returns the nodes that are asked."""
    asked: list[str] = []

    def build(*nodes: str, answer: Callable[[Any], Any] = find_absent) -> list[str]:
        def options(scheduling_strategy: tuple[str, bool], num_cpus: int) -> Any:
            assert (num_cpus, scheduling_strategy[1]) == (0, False)
            asked.append(scheduling_strategy[0])
            return SimpleNamespace(remote=lambda paths: lambda: answer(paths))

        def remote(task: Any) -> Any:
            assert task is shared_files.find_absent
            return SimpleNamespace(options=options)

        ray, util, strategies = ModuleType("ray"), ModuleType("ray.util"), ModuleType("strategies")
        vars(ray).update(
            remote=remote,
            get=lambda answer: answer(),
            get_runtime_context=lambda: SimpleNamespace(get_node_id=lambda: "here"),
            exceptions=SimpleNamespace(RayError=RayError),
            util=util,
        )
        table = {"bundles_to_node_id": dict(enumerate(nodes))}
        vars(util).update(placement_group_table=lambda _: table)
        vars(strategies).update(NodeAffinitySchedulingStrategy=lambda node, soft: (node, soft))
        for name, module in (("ray", ray), ("ray.util", util), ("ray.util.scheduling_strategies", strategies)):
            monkeypatch.setitem(sys.modules, name, module)
        return asked

    return build


def test_every_other_node_with_a_worker_is_asked_once(on_nodes: Callable[..., list[str]], tmp_path: Path) -> None:
    asked = on_nodes("b", "here", "a", "b")
    check_shared(PLACEMENT, {"run.root": tmp_path})
    assert asked == ["a", "b"]


def test_on_the_drivers_machine_nothing_is_asked(on_nodes: Callable[..., list[str]]) -> None:
    asked = on_nodes("here", "here")
    check_shared(PLACEMENT, {"run.root": Path("/nowhere")})
    assert asked == []


def test_a_path_that_a_node_lacks_is_named_with_the_node(on_nodes: Callable[..., list[str]], tmp_path: Path) -> None:
    on_nodes("a")
    with pytest.raises(PlacementError) as caught:
        check_shared(PLACEMENT, {"run.root": tmp_path, "model.path": tmp_path / "model"})
    assert (caught.value.key, caught.value.value) == ("model.path", str(tmp_path / "model"))
    assert "is not visible from node a" in str(caught.value)


def test_a_node_without_the_package_is_named(on_nodes: Callable[..., list[str]], tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise RayError("the task failed\nModuleNotFoundError: No module named 'emocal_rl'")

    on_nodes("a", answer=fail)
    with pytest.raises(PlacementError, match=r"node a cannot run a task of emocal_rl: ModuleNotFoundError.*Install"):
        check_shared(PLACEMENT, {"run.root": tmp_path})
