"""The synthetic world as a pipeline's files and base model."""

import shutil
from pathlib import Path

from emocal_rl.benchmarks.synthvec.oracle import Oracle, load_oracle
from emocal_rl.cluster.placement import plan_placement, reserve
from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.data.vecbench import write_vecbench
from emocal_rl.platform.progress import Progress
from emocal_rl.stages import base_policy
from emocal_rl.stages.cold_start_cache import find_cold_start, with_cold_start_seed
from emocal_rl.stages.inputs import synthvec_world


def with_world(config: Config, directory: Path, progress: Progress) -> tuple[Config, Oracle | None]:
    """Put the synthetic world's files into a config without a model, and say what is known about them.

    The test file, in- and out-of-domain, is kept in `directory`. Any other config is returned as it is.
    """
    if config.model.path is not None:
        return config, None
    progress.phase("synthetic world")
    world = synthvec_world(config)
    test = directory / "test.jsonl"
    if not test.exists():
        parts = [world.test, *([world.test_ood] if config.synthvec.num_test_ood else [])]
        write_vecbench(str(test), [sample for part in parts for sample in read_samples(str(part))])
    files = {name: str(getattr(world, name)) for name in ("reasoning", "confidence", "calibration")}
    with_files = config.model_copy(
        update={
            "data": config.data.model_copy(update={"image_root": str(world.directory)}),
            "pipeline": config.pipeline.model_copy(update={**files, "evaluation": str(test)}),
        }
    )
    return with_files, load_oracle(world.directory)


def with_base_model(config: Config, directory: Path, progress: Progress) -> Config:
    """Put the synthetic world's base model, kept in `directory`, into a config without one."""
    if config.model.path is not None:
        return config
    base = _base_model(config, directory / "base", progress)
    return config.model_copy(update={"model": config.model.model_copy(update={"path": str(base)})})


def _base_model(config: Config, base: Path, progress: Progress) -> Path:
    """Pre-train the tiny policy, or take it from a cold start of the same settings; whole or not at all."""
    if base.exists():
        return base
    partial = base.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    cached = find_cold_start(config)
    if cached.is_complete:
        shutil.copytree(cached.base, partial / "base")
    else:
        progress.phase("Ray")
        with ray_session(config.cluster) as session:
            plan = plan_placement(config, session.num_gpus, only=["learner"])
            strategy, timeout_s = config.cluster.placement_strategy, config.cluster.placement_timeout_s
            with reserve(plan, strategy=strategy, timeout_s=timeout_s) as placement:
                seeded = with_cold_start_seed(config)
                base_policy.run(seeded, placement, synthvec_world(config), partial / "base", progress)
    (partial / "base").rename(base)
    shutil.rmtree(partial)
    return base
