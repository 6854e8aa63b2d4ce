"""What the trials of an ablation reserve, and how many run at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emocal_rl.cluster.placement import PlacementPlan, plan_placement
from emocal_rl.cluster.session import RaySession
from emocal_rl.platform.config.ablation import AblatedStage
from emocal_rl.platform.config.tree import Config
from emocal_rl.stages.pipeline_workers import with_sampling_workers, with_sft_workers


@dataclass(frozen=True)
class Resources:
    """What each run's trial reserves: a bundle for each worker. `concurrent` bounds the trials beyond that."""

    bundles: Mapping[str, Sequence[Mapping[str, float]]]
    strategy: str
    concurrent: int | None = None


def trial_resources(configs: Mapping[str, Config], stage: AblatedStage, session: RaySession) -> Resources:
    """What the trial of each run reserves.

    Stages 1 and 2 run their roles one after another, so a trial's group would hold too much for most of its time: their
    trials reserve next to nothing and are bounded in number, and each phase holds what it needs.
    """
    strategy = next(iter(configs.values())).cluster.placement_strategy
    if stage == "calibration":
        return Resources(
            {run: plan_placement(each, session.num_gpus).bundles for run, each in configs.items()}, strategy
        )
    phases = [plan for each in configs.values() for plan in phase_plans(each, session.num_gpus)]
    return Resources({run: [{"CPU": 0.001}] for run in configs}, "PACK", concurrency(phases, session.resources))


def phase_plans(config: Config, num_gpus: float) -> list[PlacementPlan]:
    """What a run of stage 1 or 2 reserves by turns."""
    return [
        plan_placement(with_sft_workers(config), num_gpus, only=["learner"]),
        plan_placement(with_sampling_workers(config), num_gpus, only=["rollout"]),
    ]


def concurrency(plans: list[PlacementPlan], resources: Mapping[str, float]) -> int:
    """How many trials a cluster holds at a time: 1 at least, which a plan that does not fit refuses by itself."""
    wanted = [(plan.wanted[name], resources.get(name, 0.0)) for plan in plans for name in ("CPU", "GPU")]
    return max(1, min((int(there / amount + 1e-9) for amount, there in wanted if amount), default=1))
