from collections.abc import Iterator
from contextlib import contextmanager

from emocal_rl.actors.model_source import fetch_model
from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.actors.starting import start_rollouts
from emocal_rl.cluster.placement import plan_placement, reserve
from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.progress import Progress


@contextmanager
def sampling_engines(config: Config, progress: Progress) -> Iterator[RolloutPool]:
    """Rollout workers and nothing else, with `config.model`, on a cluster of their own or the configured one."""
    model = fetch_model(config.model)
    progress.phase("Ray")
    with ray_session(config.cluster) as session:
        plan = plan_placement(config, session.num_gpus, only=["rollout"])
        strategy, timeout_s = config.cluster.placement_strategy, config.cluster.placement_timeout_s
        with reserve(plan, strategy=strategy, timeout_s=timeout_s) as placement:
            progress.phase("engines")
            with start_rollouts(config, placement, model) as rollouts:
                yield rollouts
