"""`emocal-rl pipeline`: stage 1, labels and stage 2, stage 3, evaluation; each a run inside the parent's directory."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.platform.config.load import dump_config
from emocal_rl.platform.config.pipeline import STAGES, StageName
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import SamplingParameters
from emocal_rl.platform.data.rows import image_root_of
from emocal_rl.platform.data.vecbench import read_predictions
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.manifest import Manifest, read_manifest
from emocal_rl.stages import label_job, launch, sft
from emocal_rl.stages.demonstrations import check_inputs
from emocal_rl.stages.evaluation import answers_so_far, evaluate, score
from emocal_rl.stages.evolvement import measure_evolvement
from emocal_rl.stages.image_feed import ImageFeed
from emocal_rl.stages.inputs import hash_inputs, load_test
from emocal_rl.stages.pipeline_workers import with_sampling_workers, with_sft_workers
from emocal_rl.stages.pipeline_world import with_base_model, with_world
from emocal_rl.stages.recorder import Recorder
from emocal_rl.stages.recording import recording
from emocal_rl.stages.sampling_engines import sampling_engines

_STARTS_WITH: dict[StageName, str] = dict(zip(STAGES, ("base", "scaffold", "cold_start", "calibrated"), strict=True))
"""The model each stage begins with: what the one before it leaves."""
_EVALUATED_BY_STAGE_3 = {"cold_start": "before_sampled", "calibrated": "after_sampled"}


@dataclass(frozen=True)
class PipelineJob:
    """A pipeline: where it writes, the last stage to run, and where a user's reward plug-in is imported from."""

    config: Config
    directory: RunDirectory
    last_stage: StageName
    search_path: str


@dataclass
class _Child:
    """One stage's run while it is worked on.

    `models` are the checkpoints so far, by name; `oracle` knows the truth about the synthetic world.
    """

    job: PipelineJob
    stage: StageName
    config: Config
    directory: RunDirectory
    models: dict[str, str]
    oracle: Oracle | None
    progress: Progress
    resume: bool = False
    known_hashes: dict[str, str] = field(default_factory=dict)


def run(job: PipelineJob, manifest: Manifest, progress: Progress, known_hashes: dict[str, str]) -> None:
    """Run every stage that is not finished, up to the last one wanted; each goes on from wherever it stands.

    Args:
        job: what to run.
        manifest: of the parent.
        progress: told of every stage's phases.
        known_hashes: of the stages' files when an earlier attempt began.

    Raises:
        RunError: a file is not what it was then.
    """
    config, oracle = with_world(job.config, job.directory.path, progress)
    files = {f"pipeline.{stage}": url for stage, url in config.pipeline.files.items() if url is not None}
    manifest.add_hashes(hash_inputs(files, known_hashes))
    config = with_base_model(config, job.directory.path, progress)
    first = config.pipeline.first_stage
    models = {_STARTS_WITH[first]: str(config.model.path)}
    for stage in STAGES[STAGES.index(first) : STAGES.index(job.last_stage) + 1]:
        with RunDirectory.at(job.directory.path / stage) as directory:
            earlier = read_manifest(directory.manifest)
            if earlier.get("status") != "finished":
                progress.message(f"Stage {stage}: {directory.path}")
                hashes = earlier.get("hashes", {})
                _RUN_STAGE[stage](
                    _Child(job, stage, config, directory, models, oracle, progress, bool(earlier), hashes)
                )
        if stage != "evaluation":
            models[_STARTS_WITH[STAGES[STAGES.index(stage) + 1]]] = str(job.directory.path / stage / "model")


def _run_reasoning(child: _Child) -> None:
    config = with_sft_workers(_with(child.config, child.models["base"], train=child.config.pipeline.reasoning))
    _record(child, config, lambda manifest, recorder: _sft("reasoning", child, config, manifest, recorder))


def _run_confidence(child: _Child) -> None:
    """Stage 2: the scaffold's answers, labelled by equation 2, and the training on them."""
    scaffold, rows = child.models["scaffold"], child.config.pipeline.confidence
    assert rows is not None
    files = label_job.LabelFiles(child.directory.path / "labelled.jsonl")
    # The labelled rows lie elsewhere than the rows they came from, their images do not.
    root = str(image_root_of(rows, child.config.data.image_root))
    config = with_sft_workers(_with(child.config, scaffold, train=str(files.rows), image_root=root))

    def work(manifest: Manifest, recorder: Recorder) -> None:
        if not files.summary.exists():  # written last
            labelling = with_sampling_workers(_with(child.config, scaffold, train=rows))
            label_job.run(label_job.prepare(labelling, files.rows), child.progress)
        _sft("confidence", child, config, manifest, recorder)

    _record(child, config, work)


def _sft(stage: sft.Stage, child: _Child, config: Config, manifest: Manifest, recorder: Recorder) -> None:
    if not child.directory.list_checkpoints():
        check_inputs(config, getattr(config, stage), child.progress)
    job = sft.SFTJob(stage, config, child.directory, child.resume, child.known_hashes)
    sft.run(job, manifest, recorder, child.progress)


def _run_calibration(child: _Child) -> None:
    files = child.config.pipeline
    config = _with(child.config, child.models["cold_start"], train=files.calibration, test=files.evaluation)
    job = launch.Job(config, child.directory, child.job.search_path, child.resume, child.oracle)
    _record(child, config, lambda manifest, recorder: launch.run(job, manifest, recorder, child.progress))


def _run_evaluation(child: _Child) -> None:
    """Every model on the test set, as sampled; what stage 3 has asked its models already is not asked again."""
    config = with_sampling_workers(
        _with(child.config, str(child.config.model.path), test=child.config.pipeline.evaluation)
    )
    settings, written = config.evaluation, child.directory.evaluations
    by_stage_3 = child.job.directory.path / "calibration" / "eval"

    def work(_: Manifest, __: Recorder) -> None:
        test, sampling = load_test(config), settings.sampling
        parameters = SamplingParameters(
            1, sampling.temperature, sampling.max_new_tokens, sampling.top_p, config.run.seed
        )
        for name, model in child.models.items():
            asked = by_stage_3 / f"{_EVALUATED_BY_STAGE_3.get(name, name)}.jsonl"
            if (written / f"{name}.json").exists():
                continue
            if asked.exists():
                answers = list(read_predictions(str(asked)))
                score(
                    answers, sampling.temperature, name=name, oracle=child.oracle, num_bins=settings.num_bins
                ).write(written)  # fmt: skip
                continue
            with (
                sampling_engines(_with(config, model, test=config.data.eval), child.progress) as rollouts,
                answers_so_far(written, name) as journal,
            ):
                evaluate(
                    rollouts, test, parameters, ImageFeed(config.data), child.progress,
                    name=name, oracle=child.oracle, num_bins=settings.num_bins, journal=journal,
                ).write(written)  # fmt: skip
        evolvement = measure_evolvement(written, list(child.models), child.oracle)
        write_text(child.job.directory.path / "evolvement.json", json.dumps(evolvement, indent=1) + "\n")

    _record(child, config, work)


_RUN_STAGE: dict[StageName, Callable[[_Child], None]] = {
    "reasoning": _run_reasoning,
    "confidence": _run_confidence,
    "calibration": _run_calibration,
    "evaluation": _run_evaluation,
}


def _record(child: _Child, config: Config, work: Callable[[Manifest, Recorder], None]) -> None:
    """Do a child's work with its run directory open."""
    write_text(child.directory.config, dump_config(config))
    seeds = {"run": config.run.seed}
    with recording(config, child.directory, child.progress, stage=child.stage, seeds=seeds) as (manifest, recorder):
        work(manifest, recorder)


def _with(
    config: Config, model: str, *, train: str | None = None, test: str | None = None, image_root: str | None = None
) -> Config:
    """`config` with a model, a file to train on, and one to evaluate on."""
    data = {"train": train, "eval": test, "image_root": image_root or config.data.image_root}
    return config.model_copy(
        update={
            "model": config.model.model_copy(update={"path": model}),
            "data": config.data.model_copy(update=data),
        }
    )
