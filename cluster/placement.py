"""Which role gets which resources, and one placement group that holds them all."""

import math
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from emocal_rl.platform.config.cluster import RoleResources
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import PlacementError

RoleName = Literal["rollout", "learner", "reference", "reward"]


@dataclass(frozen=True)
class RolePlan:
    """`count` workers of one role, each with its own bundle."""

    role: RoleName
    count: int
    num_cpus: float
    num_gpus: float
    first_bundle: int

    @property
    def bundle(self) -> dict[str, float]:
        """What one worker reserves."""
        return {name: value for name, value in (("CPU", self.num_cpus), ("GPU", self.num_gpus)) if value}


@dataclass(frozen=True)
class PlacementPlan:
    """All roles of a run. Pure data: `launch --dry-run` shows it without Ray."""

    roles: tuple[RolePlan, ...]

    @property
    def bundles(self) -> list[dict[str, float]]:
        """One bundle per worker, in role order."""
        return [role.bundle for role in self.roles for _ in range(role.count)]

    @property
    def wanted(self) -> dict[str, float]:
        """Totals over all bundles."""
        return {name: round(sum(bundle.get(name, 0.0) for bundle in self.bundles), 4) for name in ("CPU", "GPU")}

    def role(self, name: RoleName) -> RolePlan | None:
        """The plan of one role; None when the run has no such role."""
        return next((role for role in self.roles if role.role == name), None)


def plan_placement(config: Config, num_gpus: float, only: Collection[RoleName] | None = None) -> PlacementPlan:
    """Lay out the roles on a cluster with `num_gpus` GPUs (0: everything on CPU); `only` those a smaller job needs.

    With `num_gpus: auto` each GPU worker gets a whole GPU where there are enough, and an equal share otherwise: rollout
    and learner then take turns on the same device.

    Raises:
        PlacementError: a tensor-parallel engine would have to share its GPUs.
    """
    counts: list[tuple[RoleName, int, RoleResources]] = [
        ("rollout", config.rollout.num_workers, config.cluster.rollout),
        ("learner", config.learner.num_workers, config.cluster.learner),
        ("reference", 1 if config.loss.kl_coefficient > 0 else 0, config.cluster.reference),
        ("reward", config.reward.num_workers, config.cluster.reward),
    ]
    counts = [role for role in counts if only is None or role[0] in only]
    whole = {"rollout": config.rollout.tensor_parallel_size}
    wanted = sum(n * whole.get(name, 1) for name, n, shape in counts if shape.num_gpus == "auto")
    share = 0.0 if num_gpus == 0 else 1.0 if wanted <= num_gpus else 1.0 / math.ceil(wanted / num_gpus)
    if 0 < share < 1 and config.rollout.tensor_parallel_size > 1:
        raise PlacementError(
            "rollout.tensor_parallel_size",
            config.rollout.tensor_parallel_size,
            rule=f"an engine that spans GPUs needs whole ones; the roles want {wanted} GPUs and there are {num_gpus:g}",
            fix="Use fewer workers, a smaller tensor_parallel_size, or more GPUs",
        )
    roles, first_bundle = [], 0
    for name, count, shape in counts:
        gpus = share * whole.get(name, 1) if shape.num_gpus == "auto" else float(shape.num_gpus)
        if count:
            roles.append(RolePlan(name, count, shape.num_cpus, gpus, first_bundle))
        first_bundle += count
    return PlacementPlan(tuple(roles))


@dataclass(frozen=True)
class Placement:
    """A plan whose resources are held."""

    plan: PlacementPlan
    group: Any

    def actor_options(self, name: RoleName, index: int = 0, env: dict[str, str] | None = None) -> dict[str, Any]:
        """Options for `ray.remote(...).options(...)` of the role's worker number `index`."""
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        role = self.plan.role(name)
        assert role is not None, f"the plan has no {name}"
        assert index < role.count, f"the plan has {role.count} {name} workers"
        strategy = PlacementGroupSchedulingStrategy(self.group, placement_group_bundle_index=role.first_bundle + index)
        options: dict[str, Any] = {
            "num_cpus": role.num_cpus,
            "num_gpus": role.num_gpus,
            "scheduling_strategy": strategy,
        }
        return options | ({"runtime_env": {"env_vars": env}} if env else {})


@contextmanager
def reserve(plan: PlacementPlan, *, strategy: str, timeout_s: float) -> Iterator[Placement]:
    """Hold every bundle of a placement group, and give them back at the end.

    Inside a trial of Ray Tune that was given these very bundles, the trial's own group is the one.

    Raises:
        PlacementError: the cluster cannot hold the plan within `timeout_s`; the message has a wanted/have table.
    """
    import ray
    from ray.util import get_current_placement_group, placement_group, remove_placement_group

    held = get_current_placement_group()
    if held is not None and held.bundle_specs == plan.bundles:
        yield Placement(plan, held)
        return
    total, free = ray.cluster_resources(), ray.available_resources()
    for name, wanted in plan.wanted.items():
        if wanted > total.get(name, 0.0) + 1e-6:
            raise _does_not_fit(plan, total, free, waited_s=0.0)
    group = placement_group(plan.bundles, strategy=strategy)
    started = time.monotonic()
    try:
        if not group.wait(timeout_seconds=timeout_s):
            raise _does_not_fit(plan, total, ray.available_resources(), waited_s=time.monotonic() - started)
        yield Placement(plan, group)
    finally:
        remove_placement_group(group)


def _does_not_fit(
    plan: PlacementPlan, total: dict[str, float], free: dict[str, float], *, waited_s: float
) -> PlacementError:
    lines = [f"{'role':<10} {'workers':>7} {'CPU each':>9} {'GPU each':>9}"]
    lines += [f"{r.role:<10} {r.count:>7} {r.num_cpus:>9g} {r.num_gpus:>9g}" for r in plan.roles]
    lines.append(f"{'':<10} {'':>7} {'CPU':>9} {'GPU':>9}")
    for title, amounts in (("wanted", plan.wanted), ("in total", total), ("free now", free)):
        lines.append(f"{title:<10} {'':>7} {amounts.get('CPU', 0):>9g} {amounts.get('GPU', 0):>9g}")
    waited = f" after waiting {waited_s:.0f} s" if waited_s >= 1 else ""
    return PlacementError(
        "placement",
        rule=f"the cluster cannot hold the roles{waited}:\n" + "\n".join(lines) + "\n",
        fix="Use fewer workers (--set rollout.num_workers=1), smaller shares (--set cluster.rollout.num_cpus=0.5), "
        "or more machines (--address)",
    )
