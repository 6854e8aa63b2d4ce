import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocal_rl.cli.options import AddressOption, ConfigOption, ImageRootOption, JsonOption, RevisionOption, SetOption

if TYPE_CHECKING:
    from rich.console import Console

    from emocal_rl.stages.label_job import LabelJob


OutOption = Annotated[Path, typer.Option("--out", metavar="FILE", help="The JSONL file to write.")]
ModelOption = Annotated[str | None, typer.Option(metavar="DIR|HUB_ID", help="The scaffold: a checkpoint of stage 1.")]
DataOption = Annotated[str | None, typer.Option(metavar="FILE", help="Held-out rows, VEC-CoT-2.")]
RingOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Ring file of `ring build`; without it the shipped rings.")
]
SeedOption = Annotated[int | None, typer.Option(help="Seed of the sampling.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Read the data, show the plan; start nothing.")]


def label(
    out: OutOption,
    model: ModelOption = None,
    data: DataOption = None,
    ring: RingOption = None,
    revision: RevisionOption = None,
    image_root: ImageRootOption = None,
    seed: SeedOption = None,
    address: AddressOption = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Label for stage 2: the scaffold answers rows it has not seen, equation 2 says how sure it should have been.

    Writes VEC-CoT rows (ms-swift) whose loss is on the confidence alone, and beside them FILE.summary.json, FILE.png
    (histogram) and FILE.journal.jsonl. Killed anywhere, the same command goes on from the journal and samples nothing
    twice; another --ring labels the same responses anew.

    Examples:
      emocal-rl label --model runs/reasoning-.../model --data vec-cot-2.jsonl --out labelled.jsonl
      emocal-rl label --model scaffold --data rows.jsonl --out out.jsonl --ring ring.yaml
      emocal-rl label --model scaffold --data rows.jsonl --out out.jsonl --set confidence.sampling.temperature=0.7
    """
    from rich.console import Console

    from emocal_rl.platform.config.load import resolve_config
    from emocal_rl.platform.errors import ConfigError
    from emocal_rl.stages import label_job

    flags: dict[str, Any] = {
        "model.path": model,
        "model.revision": revision,
        "data.train": data,
        "data.image_root": image_root,
        "confidence.ring": ring,
        "run.seed": seed,
        "cluster.address": address,
    }
    resolved = resolve_config(config, flags, sets or ())
    for key, value in (("--model", resolved.model.path), ("--data", resolved.data.train)):
        if value is None:
            raise ConfigError(key, rule="is missing", fix="Give a scaffold (--model) and the rows to label (--data).")
    console = Console(stderr=as_json)
    job = label_job.prepare(resolved, out)
    _print_plan(job, console)
    if dry_run:
        return
    summary = _run(job, console)
    if as_json:
        typer.echo(json.dumps(summary, indent=2, allow_nan=False))
        return
    from emocal_rl.cli.label_table import print_labels

    print_labels(summary, console)
    for path in (job.files.rows, job.files.summary, job.files.figure):
        console.print(str(path), markup=False, highlight=False, soft_wrap=True)


def _print_plan(job: "LabelJob", console: "Console") -> None:
    from emocal_rl.actors.model_source import local_model
    from emocal_rl.cli.role_table import print_roles
    from emocal_rl.cluster.placement import plan_placement
    from emocal_rl.platform.gpus import num_planned_gpus
    from emocal_rl.stages.estimate import count_parameters, estimate_memory

    config, num_gpus = job.config, num_planned_gpus(job.config.cluster.address)
    sampling = config.confidence.sampling
    directory = local_model(config.model)
    memory = estimate_memory(config, count_parameters(directory), on_gpu=num_gpus > 0)
    size = f", {memory.num_parameters / 1e6:,.1f} M parameters" if directory else ", to be downloaded"
    facts = {
        "scaffold": f"{config.model.path}{size}",
        "data": f"{config.data.train}: {len(job.samples):,} rows, {job.num_done:,} of them answered already",
        "tasks": ", ".join(f"{task or 'by candidates'} {count:,}" for task, count in job.num_by_task.items()),
        "sampling": f"one response a row at temperature {sampling.temperature:g}, at most {sampling.max_new_tokens} "
        f"tokens, seed {config.run.seed}",
        "rings": config.confidence.ring or "shipped",
        "output": str(job.files.rows),
    }
    for name, value in facts.items():
        console.print(f"{name:<9}{value}", markup=False, highlight=False, soft_wrap=True)
    print_roles(plan_placement(config, num_gpus, only=["rollout"]), memory, config.cluster.address, console)


def _run(job: "LabelJob", console: "Console") -> dict[str, Any]:
    from emocal_rl.cli.live import open_view
    from emocal_rl.stages import label_job

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end like Ctrl-C: the engines are stopped
    with open_view(console) as view:
        return label_job.run(job, view)
