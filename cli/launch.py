import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocal_rl.cli.options import (
    DEFAULT_RECIPE,
    AddressOption,
    ConfigOption,
    ImageRootOption,
    PresetOption,
    ResumeOption,
    RevisionOption,
    RewardOption,
    RootOption,
    SetOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from emocal_rl.platform.config.tree import Config
    from emocal_rl.platform.runs.directory import RunDirectory


NormalizeOption = Annotated[
    bool | None,
    typer.Option("--normalize/--no-normalize", help="Divide advantages by a standard deviation."),
]
ModelOption = Annotated[
    str | None, typer.Option(metavar="DIR|HUB_ID", help="Policy to calibrate; without it the tiny policy.")
]
DataOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Rows of any format to train on; without it SynthVEC.")
]
EvalDataOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Rows to evaluate on; without it 5 % of --data are held out.")
]
StepsOption = Annotated[int | None, typer.Option(help="Steps of stage 3; without it the recipe's, or one epoch.")]
SeedOption = Annotated[int | None, typer.Option(help="Seed of order, sampling and initialisation.")]
NameOption = Annotated[str | None, typer.Option(help="First part of the run directory's name.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the plan and one sample; start nothing.")]


def launch(
    reward: RewardOption = None,
    normalize: NormalizeOption = None,
    preset: PresetOption = None,
    model: ModelOption = None,
    revision: RevisionOption = None,
    data: DataOption = None,
    eval_data: EvalDataOption = None,
    image_root: ImageRootOption = None,
    steps: StepsOption = None,
    seed: SeedOption = None,
    address: AddressOption = None,
    name: NameOption = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    root: RootOption = "runs",
    resume: ResumeOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Calibrate a policy: evaluate, train with GRPO on stated confidence, evaluate again, write report.html.

    Without --model and --data it runs on the embedded default: the synthetic world SynthVEC and a tiny policy, whose
    cold start (pre-training, stages 1 and 2) is built once and kept in the user's cache.

    Examples:
      emocal-rl launch --reward loglik --no-normalize
      emocal-rl launch --reward brier --normalize --seed 1
      emocal-rl launch --model ckpt/cold-start --data stage3.jsonl --eval-data test.jsonl
      emocal-rl launch --reward my_reward.py:pseudospherical --dry-run
      emocal-rl launch --resume latest
    """
    flags: dict[str, Any] = {
        "reward.confidence.rule": absolute_plugin(reward),
        "reward.preset": preset,
        "advantage.normalize": normalize,
        "model.path": model,
        "model.revision": revision,
        "data.train": data,
        "data.eval": eval_data,
        "data.image_root": image_root,
        "calibration.num_steps": steps,
        "run.seed": seed,
        "run.name": name,
        "cluster.address": address,
    }
    if resume is not None:
        _resume(resume, root, flags, config, sets)
    else:
        _start(
            flags, root, config or (DEFAULT_RECIPE if model is None and data is None else None), sets, dry_run=dry_run
        )


def absolute_plugin(reward: str | None) -> str | None:
    """A plug-in file is named relative to where the user stands; workers stand elsewhere."""
    path, separator, function = (reward or "").rpartition(":")
    return f"{Path(path).resolve()}:{function}" if separator and path.endswith(".py") else reward


def _start(flags: dict[str, Any], root: str, recipe: str | None, sets: list[str] | None, *, dry_run: bool) -> None:
    from rich.console import Console

    from emocal_rl.cli.launch_plan import print_sample
    from emocal_rl.cli.live import open_view
    from emocal_rl.platform.config.load import dump_config, resolve_config
    from emocal_rl.platform.runs.directory import RunDirectory
    from emocal_rl.stages.inputs import check_inputs

    console = Console()
    config = resolve_config(recipe, {**flags, "run.root": root if root != "runs" else None}, sets or ())
    plan = _check_and_plan(config, console)
    if dry_run:
        print_sample(plan, console)
        return
    with open_view(console) as view:
        check_inputs(config, view)
    with RunDirectory.create(config.run.root, config.run.name) as directory:
        directory.config.write_text(dump_config(config), encoding="utf-8")
        _run(config, directory, console, resumes=False)


def _resume(run: str, root: str, flags: dict[str, Any], recipe: str | None, sets: list[str] | None) -> None:
    from rich.console import Console

    from emocal_rl.cli.resuming import open_to_resume

    directory, config = open_to_resume("launch", run, root, flags, config=recipe, sets=sets)
    console = Console()
    with directory:
        _check_and_plan(config, console)
        _run(config, directory, console, resumes=True)


def _check_and_plan(config: "Config", console: "Console") -> Any:
    """Find what is wrong before anything starts, then say what is about to happen."""
    from emocal_rl.actors.learner.lora import check_installed
    from emocal_rl.cli.launch_plan import make_plan, print_plan
    from emocal_rl.platform.trackers.opening import check_trackers
    from emocal_rl.rewards.composition import Composition

    sys.path.insert(0, str(Path.cwd()))  # a user's plug-in lies where the user is
    Composition.from_config(config.reward)
    check_trackers(config)
    check_installed(config.learner.lora)
    plan = make_plan(config)
    print_plan(plan, console)
    return plan


def _run(config: "Config", directory: "RunDirectory", console: "Console", *, resumes: bool) -> None:
    from emocal_rl.cli.live import open_view
    from emocal_rl.cli.tables import print_comparisons
    from emocal_rl.platform.report.comparison import compare
    from emocal_rl.platform.report.data import load_report_data
    from emocal_rl.stages import launch as job
    from emocal_rl.stages.recording import recording

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end like Ctrl-C: roles are stopped, the run is marked
    console.print(f"Run directory: {directory.path}", soft_wrap=True, highlight=False)
    seeds = {"run": config.run.seed, "synthvec": config.synthvec.seed}
    with (
        open_view(console) as view,
        recording(config, directory, view, stage="calibration", seeds=seeds) as (manifest, recorder),
    ):
        job.run(job.Job(config, directory, str(Path.cwd()), resumes), manifest, recorder, view)
    print_comparisons(compare(load_report_data(directory.path).evaluations), console)
    console.print(f"Report: {directory.report}", soft_wrap=True, highlight=False)
