import signal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from emocal_rl.cli.options import (
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

    from emocal_rl.platform.config.tree import Config
    from emocal_rl.platform.runs.directory import RunDirectory
    from emocal_rl.stages.demonstrations import SFTInputs


class Stage(StrEnum):
    """The supervised stages."""

    REASONING = "reasoning"
    CONFIDENCE = "confidence"


StageArgument = Annotated[Stage, typer.Argument(help="reasoning (stage 1) or confidence (stage 2).")]
ModelOption = Annotated[str | None, typer.Option(metavar="DIR|HUB_ID", help="Checkpoint to start from.")]
DataOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Demonstrations to train on, any format with responses.")
]
EvalDataOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Demonstrations to measure the evaluation loss on; without it none.")
]
SeedOption = Annotated[int | None, typer.Option(help="Seed of the order.")]
NameOption = Annotated[str | None, typer.Option(help="First part of the run directory's name; without it the stage.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Read the data, show the plan; start nothing.")]


def sft(
    stage: StageArgument,
    model: ModelOption = None,
    data: DataOption = None,
    eval_data: EvalDataOption = None,
    revision: RevisionOption = None,
    image_root: ImageRootOption = None,
    seed: SeedOption = None,
    address: AddressOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    root: RootOption = "runs",
    resume: ResumeOption = None,
    new: NewOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Train a vision-language checkpoint on VEC-CoT demonstrations: stage 1, or the training of stage 2.

    Killed anywhere, the same command goes on from the last checkpoint, to the bit. RUN/model is the Hugging Face
    checkpoint it leaves. Settings: `emocal-rl config explain reasoning`, `... confidence` and `... learner`.

    Examples:
      emocal-rl sft reasoning --model Qwen/Qwen2.5-VL-7B-Instruct --data vec-cot-1.jsonl
      emocal-rl sft confidence --model runs/reasoning-.../model --data labelled.jsonl --eval-data held-out.jsonl
      emocal-rl sft reasoning --model ckpt --data rows.jsonl --set learner.lora.rank=16 --set reasoning.save_every=100
      emocal-rl sft reasoning --resume latest
    """
    flags: dict[str, Any] = {
        "model.path": model,
        "model.revision": revision,
        "data.train": data,
        "data.eval": eval_data,
        "data.image_root": image_root,
        "run.seed": seed,
        "run.name": name,
        "cluster.address": address,
    }
    if resume is not None:
        _resume(stage.value, resume, root, flags, config, sets)
    else:
        _start(stage.value, flags, root, config, sets, new=new, dry_run=dry_run)


_Stage = Literal["reasoning", "confidence"]


def _start(
    stage: _Stage,
    flags: dict[str, Any],
    root: str,
    recipe: str | None,
    sets: list[str] | None,
    *,
    new: bool,
    dry_run: bool,
) -> None:
    from rich.console import Console

    from emocal_rl.platform.config.load import dump_config, resolve_config
    from emocal_rl.platform.errors import ConfigError
    from emocal_rl.platform.runs.directory import RunDirectory
    from emocal_rl.platform.runs.unfinished import find_unfinished

    console = Console()
    flags["run.name"] = flags["run.name"] or stage
    config = resolve_config(recipe, {**flags, "run.root": root if root != "runs" else None}, sets or ())
    for key, value in (("--model", config.model.path), ("--data", config.data.train)):
        if value is None:
            raise ConfigError(key, rule="is missing", fix="Give a checkpoint (--model) and a VEC-CoT file (--data).")
    _check(config)
    text = dump_config(config)
    if not (new or dry_run) and (unfinished := find_unfinished(config.run.root, config.run.name, text)) is not None:
        console.print(f"Continuing {unfinished.path} (--new starts another run)", soft_wrap=True, highlight=False)
        with RunDirectory.open(unfinished.path) as directory:
            _run(stage, config, directory, console, resumes=True)
        return
    inputs = _check_inputs(stage, config, console)
    if dry_run:
        from emocal_rl.cli.sft_plan import print_plan

        print_plan(stage, config, inputs, console)
        return
    with RunDirectory.create(config.run.root, config.run.name) as directory:
        directory.config.write_text(text, encoding="utf-8")
        _run(stage, config, directory, console, resumes=False)


def _resume(
    stage: _Stage, run: str, root: str, flags: dict[str, Any], recipe: str | None, sets: list[str] | None
) -> None:
    from rich.console import Console

    from emocal_rl.cli.resuming import open_to_resume

    directory, config = open_to_resume(f"sft {stage}", run, root, flags, config=recipe, sets=sets)
    console = Console()
    with directory:
        _check(config)
        _run(stage, config, directory, console, resumes=True)


def _check(config: "Config") -> None:
    """Find what is wrong with settings and model before anything starts."""
    from emocal_rl.actors.learner.lora import check_installed
    from emocal_rl.actors.model_source import local_model
    from emocal_rl.platform.trackers.opening import check_trackers

    check_trackers(config)
    check_installed(config.learner.lora)
    local_model(config.model)


def _check_inputs(stage: _Stage, config: "Config", console: "Console") -> "SFTInputs":
    from emocal_rl.cli.live import open_view
    from emocal_rl.stages.demonstrations import check_inputs

    with open_view(console) as view:
        return check_inputs(config, getattr(config, stage), view)


def _run(stage: _Stage, config: "Config", directory: "RunDirectory", console: "Console", *, resumes: bool) -> None:
    from emocal_rl.cli.live import open_view
    from emocal_rl.cli.sft_table import print_result
    from emocal_rl.platform.errors import RunError
    from emocal_rl.platform.runs.manifest import read_manifest
    from emocal_rl.stages import sft as job
    from emocal_rl.stages.recording import recording

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end like Ctrl-C: ranks are stopped, the run is marked
    console.print(f"Run directory: {directory.path}", soft_wrap=True, highlight=False)
    earlier = read_manifest(directory.manifest)
    if earlier.get("stage", stage) != stage:  # found by its name and settings
        fix = f"Say `emocal-rl sft {earlier['stage']}`, or pass --new."
        raise RunError("--name", directory.name, rule=f"is an unfinished run of stage {earlier['stage']}", fix=fix)
    with (
        open_view(console) as view,
        recording(config, directory, view, stage=stage, seeds={"run": config.run.seed}) as (manifest, recorder),
    ):
        sft_job = job.SFTJob(stage, config, directory, resumes, earlier.get("hashes", {}))
        model: Path = job.run(sft_job, manifest, recorder, view)
    print_result(directory, console)
    console.print(f"Model: {model}", soft_wrap=True, highlight=False)
    console.print(f"Report: {directory.report}", soft_wrap=True, highlight=False)
