"""What all runs of an ablation share: the model they start from, built once, and its evaluation, made once a seed."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.cluster.placement import plan_placement, reserve
from emocal_rl.platform.config.ablation import AblatedStage
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.manifest import Manifest, read_manifest
from emocal_rl.stages import cold_start, pipeline
from emocal_rl.stages.cold_start_cache import find_cold_start
from emocal_rl.stages.inputs import load_inputs, load_test
from emocal_rl.stages.pipeline_workers import with_sampling_workers
from emocal_rl.stages.pipeline_world import with_base_model, with_world
from emocal_rl.stages.policy_evaluator import PolicyEvaluator
from emocal_rl.stages.sampling_engines import sampling_engines

_SHARED = "start"
"""Folder, in the ablation's, of the models that stages 1 and 2 start from."""


def build_starting_models(
    directory: Path, stage: AblatedStage, base: Config, configs: Mapping[str, Config], progress: Progress
) -> None:
    """Build the starting models that are not there yet, inside a Ray session; a given model is taken as it is.

    Args:
        directory: of the ablation.
        stage: the ablated one.
        base: what all cells have in common.
        configs: of every run, by its folder's name.
        progress: told how far it is.
    """
    if base.model.path is not None:
        return
    if stage != "calibration":
        _build_below(directory, stage, base, progress)
        return
    for config in {find_cold_start(config).directory: config for config in configs.values()}.values():
        if not find_cold_start(config).is_complete:
            plan = plan_placement(config, _num_gpus())
            strategy, timeout_s = config.cluster.placement_strategy, config.cluster.placement_timeout_s
            with reserve(plan, strategy=strategy, timeout_s=timeout_s) as placement:
                cold_start.run(config, placement, progress)


def _num_gpus() -> float:
    import ray

    return float(ray.cluster_resources().get("GPU", 0.0))


def _build_below(directory: Path, stage: AblatedStage, base: Config, progress: Progress) -> None:
    """Leave the base model of the synthetic world, and for stage 2 the scaffold, in the ablation's folder."""
    with RunDirectory.at(directory / _SHARED) as shared:
        config, _ = with_world(base, shared.path, progress)
        config = with_base_model(config, shared.path, progress)
        if stage == "confidence" and read_manifest(shared.manifest).get("status") != "finished":
            with Manifest(shared.manifest, seeds={"run": base.run.seed}, stage="scaffold") as manifest:
                pipeline.run(pipeline.PipelineJob(config, shared, "reasoning", ""), manifest, progress, {})


def stage_world(
    config: Config, directory: Path, stage: AblatedStage, progress: Progress
) -> tuple[Config, Oracle | None]:
    """`config` as a run of stage 1 or 2 takes it: the starting model, the files, and what is known about the test."""
    if config.model.path is None:
        config, oracle = with_world(config, directory / _SHARED, progress)
        start = "base" if stage == "reasoning" else "reasoning/model"
        config = _with_model(config, directory / _SHARED / start)
    else:
        oracle = None
    files = config.pipeline.model_copy(update={"first_stage": stage})
    data = config.data.model_copy(update={"eval": config.pipeline.evaluation or config.data.eval})
    return config.model_copy(update={"pipeline": files, "data": data}), oracle


def evaluate_starting_models(
    directory: Path, stage: AblatedStage, configs: Mapping[str, Config], progress: Progress
) -> None:
    """Evaluate each starting model once for each seed, and give every run its copy: `before_sampled`, `before_greedy`.

    Runs share an evaluation where nothing differs that it depends on; engines are started once for each model.
    """
    by_engine: dict[str, dict[str, list[str]]] = {}
    for run, config in configs.items():
        engine, evaluation = _depends_on(config, stage)
        by_engine.setdefault(engine, {}).setdefault(evaluation, []).append(run)
    for shares in by_engine.values():
        missing = [runs for runs in shares.values() if not _is_evaluated(directory / runs[0], configs[runs[0]])]
        if missing:
            first = with_sampling_workers(_starting(configs[missing[0][0]], directory, stage, progress)[0])
            with sampling_engines(first, progress) as rollouts:
                for run, *_ in missing:
                    _, samples, oracle = _starting(configs[run], directory, stage, progress)
                    with RunDirectory.at(directory / run) as place:
                        evaluator = PolicyEvaluator(configs[run], place, rollouts, oracle, progress)
                        evaluator.test("before", samples)
        for run, *others in shares.values():
            for other in others:
                _copy_evaluation(directory / run / "eval", directory / other / "eval")


def evaluate_trained(config: Config, directory: RunDirectory, oracle: Oracle | None, progress: Progress) -> None:
    """Evaluate `config.model` on the test set as `after_sampled` and `after_greedy`."""
    with sampling_engines(with_sampling_workers(config), progress) as rollouts:
        PolicyEvaluator(config, directory, rollouts, oracle, progress).test("after", load_test(config))


def _starting(
    config: Config, directory: Path, stage: AblatedStage, progress: Progress
) -> tuple[Config, tuple[Sample, ...], Oracle | None]:
    """Return the config with the starting model, the test set, and what is known about it."""
    if stage != "calibration":
        config, oracle = stage_world(config, directory, stage, progress)
        return config, load_test(config), oracle
    inputs = load_inputs(config)
    with_model = config if config.model.path else _with_model(config, find_cold_start(config).model)
    return with_model, inputs.test, inputs.oracle


def _depends_on(config: Config, stage: AblatedStage) -> tuple[str, str]:
    """Name what the engines of a starting model depend on, and what its evaluation does."""
    start = str(find_cold_start(config).directory) if stage == "calibration" and not config.model.path else stage
    engine = {"start": start, **config.model_dump(mode="json", include={"model", "rollout"})}
    rest = config.model_dump(mode="json", include={"data", "synthvec", "evaluation", "pipeline"})
    return json.dumps(engine, sort_keys=True), json.dumps({**rest, "seed": config.run.seed}, sort_keys=True)


def _is_evaluated(run: Path, config: Config) -> bool:
    names = ["before_sampled", *(["before_greedy"] if config.evaluation.greedy else [])]
    return all((run / "eval" / f"{name}.json").exists() for name in names)


def _copy_evaluation(source: Path, target: Path) -> None:
    """The figures are copied last: they say that an evaluation is whole."""
    target.mkdir(parents=True, exist_ok=True)
    for suffix in ("jsonl", "json"):
        for file in source.glob(f"before_*.{suffix}"):
            if not (target / f"{file.stem}.json").exists():
                shutil.copyfile(file, target / file.name)


def _with_model(config: Config, model: Path) -> Config:
    return config.model_copy(update={"model": config.model.model_copy(update={"path": str(model)})})
