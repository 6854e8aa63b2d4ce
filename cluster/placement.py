"""Which role gets which resources, and one placement group that holds them all."""

import math
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

from emocal_rl.platform.config.cluster import RoleResources
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import PlacementError

RoleName = Literal["rollout", "learner", "reference", "reward"]


@dataclass(frozen=True)
class RolePlan:
    """Workers of one role: what each reserves, and in which bundle each has its place."""

    role: RoleName
    num_cpus: float
    num_gpus: float
    places: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of workers."""
        return len(self.places)


@dataclass(frozen=True)
class PlacementPlan:
    """All roles of a run on a cluster with `num_gpus` GPUs. Pure data: `launch --dry-run` shows it without Ray.

    The first `num_shared` bundles are one whole GPU each, which workers of different roles share; every other bundle is
    one worker's.
    """

    roles: tuple[RolePlan, ...]
    num_gpus: float = 0.0
    num_shared: int = 0

    @property
    def bundles(self) -> list[dict[str, float]]:
        """What each bundle reserves."""
        cpus: dict[int, float] = {}
        gpus = dict.fromkeys(range(self.num_shared), 1.0)
        for role in self.roles:
            for place in role.places:
                cpus[place] = cpus.get(place, 0.0) + role.num_cpus
                gpus.setdefault(place, role.num_gpus)
        amounts = [(("CPU", cpus.get(place, 0.0)), ("GPU", gpus[place])) for place in sorted(gpus)]
        return [{name: value for name, value in amount if value} for amount in amounts]

    @property
    def wanted(self) -> dict[str, float]:
        """Totals over all bundles."""
        return {name: round(sum(bundle.get(name, 0.0) for bundle in self.bundles), 4) for name in ("CPU", "GPU")}

    def role(self, name: RoleName) -> RolePlan | None:
        """The plan of one role; None when the run has no such role."""
        return next((role for role in self.roles if role.role == name), None)


def plan_placement(config: Config, num_gpus: float, only: Collection[RoleName] | None = None) -> PlacementPlan:
    """Lay out the roles on a cluster with `num_gpus` GPUs (0: everything on CPU); `only` those a smaller job needs.

    With `num_gpus: auto` each GPU worker gets a whole GPU where there are enough. Otherwise workers go round the GPUs,
    so that one holds an equal share of workers, of different roles: two engines would both want most of its memory, and
    two learner ranks are refused by NCCL.

    Raises:
        PlacementError: a tensor-parallel engine, or two workers of one role, would have to share a GPU.
    """
    counts: list[tuple[RoleName, int, RoleResources]] = [
        ("rollout", config.rollout.num_workers, config.cluster.rollout),
        ("learner", config.learner.num_workers, config.cluster.learner),
        ("reference", 1 if config.loss.kl_coefficient > 0 else 0, config.cluster.reference),
        ("reward", config.reward.num_workers, config.cluster.reward),
    ]
    counts = [role for role in counts if role[1] and (only is None or role[0] in only)]
    whole = {"rollout": config.rollout.tensor_parallel_size}
    automatic = {name: n for name, n, shape in counts if shape.num_gpus == "auto"}
    wanted = sum(n * whole.get(name, 1) for name, n in automatic.items())
    num_shared = int(num_gpus) if wanted > num_gpus else 0
    if num_shared:
        _check_sharing(config, automatic, wanted, num_shared)
    share = 0.0 if num_gpus == 0 else 1.0 / math.ceil(wanted / num_shared) if num_shared else 1.0
    sharing, own = count(), count(num_shared)
    roles = []
    for name, num_workers, shape in counts:
        shares = num_shared > 0 and name in automatic
        places = tuple(next(sharing) % num_shared if shares else next(own) for _ in range(num_workers))
        gpus = share * whole.get(name, 1) if shape.num_gpus == "auto" else float(shape.num_gpus)
        if name == "learner" and num_workers > 1 and 0 < gpus <= 0.5 and not shares:
            rule = f"NCCL takes one learner rank per GPU, and Ray may put two of the {num_workers} on one"
            raise PlacementError("cluster.learner.num_gpus", gpus, rule=rule, fix="Use auto, or more than 0.5")
        roles.append(RolePlan(name, shape.num_cpus, gpus, places))
    return PlacementPlan(tuple(roles), num_gpus, num_shared)


def _check_sharing(config: Config, workers: Mapping[RoleName, int], wanted: int, num_gpus: int) -> None:
    if config.rollout.tensor_parallel_size > 1 and "rollout" in workers:
        raise PlacementError(
            "rollout.tensor_parallel_size",
            config.rollout.tensor_parallel_size,
            rule=f"an engine that spans GPUs needs whole ones; the roles want {wanted} GPUs and there are {num_gpus}",
            fix="Use fewer workers, a smaller tensor_parallel_size, or more GPUs",
        )
    for name, num_workers in workers.items():
        if num_workers > num_gpus:
            raise PlacementError(
                f"{name}.num_workers",
                num_workers,
                rule=f"a GPU holds one worker of a role, whatever other roles share it, and there are {num_gpus}",
                fix=f"Use --set {name}.num_workers={num_gpus}, or more GPUs",
            )


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
        strategy = PlacementGroupSchedulingStrategy(self.group, placement_group_bundle_index=role.places[index])
        options: dict[str, Any] = {
            "num_cpus": role.num_cpus,
            "num_gpus": role.num_gpus,
            "scheduling_strategy": strategy,
        }
        if self.plan.num_gpus and not role.num_gpus:
            # Ray hides GPUs only from workers that reserved some; the others would load their model onto the first.
            env = {"CUDA_VISIBLE_DEVICES": "", **(env or {})}
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
