"""What the pipeline starts from: the stages' files and the base model, given or of the synthetic world."""

import shutil
from pathlib import Path

from emocal_rl.cluster.placement import plan_placement, reserve
from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.pipeline import StageName
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.data.vecbench import write_vecbench
from emocal_rl.platform.errors import ConfigError, ConfigErrors
from emocal_rl.platform.progress import Progress
from emocal_rl.stages import base_policy
from emocal_rl.stages.cold_start_cache import find_cold_start
from emocal_rl.stages.demonstrations import read_demonstrations
from emocal_rl.stages.inputs import check_enough, load_test, synthvec_world


def check_files(config: Config) -> None:
    """Refuse a pipeline on files that lacks the file of one of its stages.

    Raises:
        ConfigErrors: naming each of them, or the first stage of SynthVEC that has no model to begin with.
    """
    if config.model.path is None:
        if config.pipeline.first_stage != "reasoning":
            rule = "begins with a model of an earlier stage"
            fix = "Give it (--model) and the files of the stages, or start with reasoning."
            raise ConfigError("pipeline.first_stage", config.pipeline.first_stage, rule=rule, fix=fix)
        return
    missing = [stage for stage, url in config.pipeline.files.items() if url is None]
    if missing:
        raise ConfigErrors(
            ConfigError(f"pipeline.{stage}", rule="is missing", fix=f"Give the stage's file (--{stage}-data).")
            for stage in missing
        )


def count_rows(config: Config) -> dict[StageName, int]:
    """Read every file once and count its rows, by stage; SynthVEC's are counted by its settings.

    Raises:
        DataError: a malformed row, by file and line.
        ConfigError: too few prompts for one step of stage 3.
    """
    world, data = config.synthvec, config.data
    if config.model.path is None:
        test = min(world.num_test + world.num_test_ood, config.evaluation.max_samples or 10**9)
        counts: dict[StageName, int] = {
            "reasoning": world.num_reasoning,
            "confidence": world.num_confidence,
            "calibration": world.num_calibration,
            "evaluation": test,
        }
    else:
        counts = {}
        for stage, url in config.pipeline.files.items():
            assert url is not None, "check_files has looked"
            if stage == "reasoning":
                counts[stage] = sum(1 for _ in read_demonstrations(url, config.reasoning, data))
            elif stage == "evaluation":
                evaluated = config.model_copy(update={"data": data.model_copy(update={"eval": url})})
                counts[stage] = len(load_test(evaluated))
            else:
                counts[stage] = sum(1 for _ in read_samples(url, data.image_root))
    if "calibration" in counts:
        check_enough(config, counts["calibration"])
    return counts


def with_synthvec(config: Config, directory: Path, progress: Progress) -> Config:
    """Put the synthetic world's files and base model into a config without files; any other is returned as it is.

    The base model and the test file, in- and out-of-domain, are kept in `directory`.
    """
    if config.model.path is not None:
        return config
    progress.phase("synthetic world")
    world = synthvec_world(config)
    test = directory / "test.jsonl"
    if not test.exists():
        parts = [world.test, *([world.test_ood] if config.synthvec.num_test_ood else [])]
        write_vecbench(str(test), [sample for part in parts for sample in read_samples(str(part))])
    files = {name: str(getattr(world, name)) for name in ("reasoning", "confidence", "calibration")}
    base = _base_model(config, directory / "base", progress)
    return config.model_copy(
        update={
            "model": config.model.model_copy(update={"path": str(base)}),
            "data": config.data.model_copy(update={"image_root": str(world.directory)}),
            "pipeline": config.pipeline.model_copy(update={**files, "evaluation": str(test)}),
        }
    )


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
            placement = reserve(
                plan, strategy=config.cluster.placement_strategy, timeout_s=config.cluster.placement_timeout_s
            )
            base_policy.run(config, placement, synthvec_world(config), partial / "base", progress)
    (partial / "base").rename(base)
    shutil.rmtree(partial)
    return base
