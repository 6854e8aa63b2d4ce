import json
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocal_rl.cli.options import (
    DEFAULT_RECIPE,
    AddressOption,
    ConfigOption,
    ImageRootOption,
    NewOption,
    ResumeOption,
    RevisionOption,
    RootOption,
    SetOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from emocal_rl.platform.config.pipeline import StageName
    from emocal_rl.platform.config.tree import Config
    from emocal_rl.platform.runs.directory import RunDirectory


class Stage(StrEnum):
    """The stages of a pipeline, in order."""

    REASONING = "reasoning"
    CONFIDENCE = "confidence"
    CALIBRATION = "calibration"
    EVALUATION = "evaluation"


ModelOption = Annotated[
    str | None,
    typer.Option(metavar="DIR|HUB_ID", help="Model to begin with; without it the tiny policy."),
]
ReasoningOption = Annotated[str | None, typer.Option(metavar="FILE", help="Demonstrations of stage 1, VEC-CoT-1.")]
ConfidenceOption = Annotated[str | None, typer.Option(metavar="FILE", help="Rows to label for stage 2, VEC-CoT-2.")]
CalibrationOption = Annotated[str | None, typer.Option(metavar="FILE", help="Prompts of stage 3, VEC-CoT-3.")]
EvaluationOption = Annotated[str | None, typer.Option(metavar="FILE", help="Rows to evaluate on, VECBench.")]
FromOption = Annotated[
    Stage | None, typer.Option("--from", help="First stage to run; --model is then the model it begins with.")
]
UntilOption = Annotated[Stage, typer.Option(help="Last stage to run now; the same command goes on behind it later.")]
SeedOption = Annotated[int | None, typer.Option(help="Seed of order and sampling.")]
NameOption = Annotated[str | None, typer.Option(help="First part of the run directory's name.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Read the data, show placement and memory; start nothing.")
]
GpusOption = Annotated[
    int | None, typer.Option(min=0, help="With --dry-run: plan for this many GPUs instead of this machine's.")
]


def pipeline(
    model: ModelOption = None,
    reasoning_data: ReasoningOption = None,
    confidence_data: ConfidenceOption = None,
    calibration_data: CalibrationOption = None,
    evaluation_data: EvaluationOption = None,
    revision: RevisionOption = None,
    image_root: ImageRootOption = None,
    from_: FromOption = None,
    until: UntilOption = Stage.EVALUATION,
    seed: SeedOption = None,
    address: AddressOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    root: RootOption = "runs",
    resume: ResumeOption = None,
    new: NewOption = False,
    dry_run: DryRunOption = False,
    gpus: GpusOption = None,
) -> None:
    """Run the whole method: stage 1, labels and stage 2, stage 3, evaluation; print how the model evolved (Table 6).

    RUN/reasoning, RUN/confidence, RUN/calibration and RUN/evaluation are runs of their own. Killed anywhere, the same
    command goes on: a finished stage stands, the unfinished one resumes. Without a model and files it runs on SynthVEC.

    Examples:
      emocal-rl pipeline --config smoke
      emocal-rl pipeline --config emocaliber-7b --model Qwen/Qwen2.5-VL-7B-Instruct --reasoning-data vec-cot-1.jsonl
        --confidence-data vec-cot-2.jsonl --calibration-data vec-cot-3.jsonl --evaluation-data vecbench.jsonl
      emocal-rl pipeline --config smoke --until confidence
      emocal-rl pipeline --config emocaliber-7b --dry-run --gpus 8 ...
    """
    flags: dict[str, Any] = {
        "model.path": model,
        "model.revision": revision,
        "pipeline.reasoning": reasoning_data,
        "pipeline.confidence": confidence_data,
        "pipeline.calibration": calibration_data,
        "pipeline.evaluation": evaluation_data,
        "pipeline.first_stage": from_.value if from_ else None,
        "data.image_root": image_root,
        "run.seed": seed,
        "run.name": name,
        "cluster.address": address,
    }
    if resume is None:
        recipe = config or (DEFAULT_RECIPE if model is None else None)
        _start(flags, root, recipe, sets, until.value, new=new, dry_run=dry_run, gpus=gpus)
        return
    from rich.console import Console

    from emocal_rl.cli.resuming import open_to_resume

    directory, resolved = open_to_resume("pipeline", resume, root, flags, config=config, sets=sets)
    console = Console()
    with directory:
        _check(resolved, until.value, console, gpus)
        _run(resolved, directory, until.value, console)


def _start(
    flags: dict[str, Any],
    root: str,
    recipe: str | None,
    sets: list[str] | None,
    until: "StageName",
    *,
    new: bool,
    dry_run: bool,
    gpus: int | None,
) -> None:
    from rich.console import Console

    from emocal_rl.cli.live import open_view
    from emocal_rl.platform.config.load import dump_config, resolve_config
    from emocal_rl.platform.runs.directory import RunDirectory
    from emocal_rl.platform.runs.unfinished import find_unfinished
    from emocal_rl.stages.pipeline_files import check_stage_images

    console = Console()
    flags["run.name"] = flags["run.name"] or "pipeline"
    config = resolve_config(recipe, {**flags, "run.root": root if root != "runs" else None}, sets or ())
    _check(config, until, console, gpus)
    if dry_run:
        return
    text = dump_config(config)
    if not new and (unfinished := find_unfinished(config.run.root, config.run.name, text)) is not None:
        console.print(f"Continuing {unfinished.path} (--new starts another run)", soft_wrap=True, highlight=False)
        with RunDirectory.open(unfinished.path) as directory:
            _run(config, directory, until, console)
        return
    with open_view(console) as view:
        check_stage_images(config, view)
    with RunDirectory.create(config.run.root, config.run.name) as directory:
        directory.config.write_text(text, encoding="utf-8")
        _run(config, directory, until, console)


def _check(config: "Config", until: "StageName", console: "Console", gpus: int | None) -> None:
    """Find what is wrong before anything starts, then say what is about to happen."""
    from emocal_rl.actors.learner.lora import check_installed
    from emocal_rl.cli.pipeline_plan import print_plan
    from emocal_rl.platform.errors import RunError
    from emocal_rl.platform.gpus import num_planned_gpus
    from emocal_rl.platform.trackers.opening import check_trackers
    from emocal_rl.rewards.composition import Composition
    from emocal_rl.stages.pipeline_files import check_files, count_rows

    first = config.pipeline.first_stage
    if list(Stage).index(Stage(until)) < list(Stage).index(Stage(first)):
        raise RunError("--until", until, rule=f"comes before the first stage, {first}", fix="Name a later stage.")
    sys.path.insert(0, str(Path.cwd()))  # a user's plug-in lies where the user is
    Composition.from_config(config.reward)
    check_trackers(config)
    check_installed(config.learner.lora)
    check_files(config)
    num_gpus = num_planned_gpus(config.cluster.address) if gpus is None else gpus
    print_plan(config, count_rows(config), until, num_gpus, console)


def _run(config: "Config", directory: "RunDirectory", until: "StageName", console: "Console") -> None:
    from emocal_rl.cli.evolvement_table import print_evolvement
    from emocal_rl.cli.live import open_view
    from emocal_rl.platform.runs.log_file import log_to_file
    from emocal_rl.platform.runs.manifest import Manifest, read_manifest
    from emocal_rl.stages import pipeline as job

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end like Ctrl-C: roles are stopped, the run is marked
    console.print(f"Run directory: {directory.path}", soft_wrap=True, highlight=False)
    known_hashes = read_manifest(directory.manifest).get("hashes", {})
    with log_to_file(directory.log), open_view(console) as view:
        seeds = {"run": config.run.seed, "synthvec": config.synthvec.seed}
        with Manifest(directory.manifest, seeds=seeds, stage="pipeline") as manifest:
            pipeline_job = job.PipelineJob(config, directory, until, str(Path.cwd()))
            job.run(pipeline_job, manifest, view, known_hashes)
    if until != "evaluation":
        manifest.finish("interrupted", f"stopped behind {until}, as --until says")
        console.print(f"Stopped behind {until}: the same command without --until goes on.", highlight=False)
        return
    print_evolvement(json.loads((directory.path / "evolvement.json").read_text(encoding="utf-8")), console)
