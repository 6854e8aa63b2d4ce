import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocal_rl.cli.options import (
    DEFAULT_RECIPE,
    AddressOption,
    ConfigOption,
    JsonOption,
    NewOption,
    ResumeOption,
    RootOption,
    SetOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from emocal_rl.platform.config.ablation import AblationFile
    from emocal_rl.platform.config.tree import Config
    from emocal_rl.platform.runs.directory import RunDirectory
    from emocal_rl.stages.ablation.grid import Layout
    from emocal_rl.stages.ablation.journal import AblationJournal

FileArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[CONFIG]", help="Shipped ablation (table7, table8, table9, decoy, recipe) or path of a YAML file."
    ),
]
GridOption = Annotated[
    list[str] | None,
    typer.Option("--grid", metavar="KEY=A,B", help="Values of a config key; repeatable, all combinations are run."),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="CELL", help="Run this cell of the grid; repeatable, unset is every combination."),
]
SeedsOption = Annotated[int | None, typer.Option(help="Runs of each cell, seeds counted up from run.seed; 3 if unset.")]
BaselineOption = Annotated[
    str | None, typer.Option(metavar="CELL", help="Cell the others are compared with; the first if unset.")
]
NameOption = Annotated[str, typer.Option(help="First part of the run directory's name.")]
FailuresOption = Annotated[
    int, typer.Option("--max-failures", min=0, help="How often a failed run is begun again from its last checkpoint.")
]
ReportOption = Annotated[
    str | None, typer.Option("--report", metavar="RUN", help="Draw tables and pictures of an ablation again.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show cells, resources and time; start nothing.")]


def ablate(
    file: FileArgument = None,
    grid: GridOption = None,
    only: OnlyOption = None,
    seeds: SeedsOption = None,
    baseline: BaselineOption = None,
    address: AddressOption = None,
    name: NameOption = "ablation",
    config: ConfigOption = None,
    sets: SetOption = None,
    root: RootOption = "runs",
    resume: ResumeOption = None,
    new: NewOption = False,
    max_failures: FailuresOption = 1,
    report: ReportOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare configurations fairly: a grid over config keys, several seeds each, and the paper's table at the end.

    The cells of one seed share cold start, sample order and rollout seeds. Runs are Ray Tune trials, as many at a time
    as the cluster holds. Killed anywhere, the same command goes on: finished runs stand, a begun one resumes from its
    last checkpoint. Before a cell runs the audit says which way its confidence will go; the report says whether it did.

    Examples:
      emocal-rl ablate table9
      emocal-rl ablate --grid reward.confidence.rule=brier,loglik --grid advantage.normalize=true,false --seeds 3
      emocal-rl ablate table7 --config emocaliber-7b --set model.path=M --set pipeline.reasoning=vec-cot-1.jsonl ...
      emocal-rl ablate decoy --dry-run
      emocal-rl ablate table9 --only "rule=brier, normalize=false" --only "rule=loglik, normalize=false"
      emocal-rl ablate --report latest
    """
    from rich.console import Console

    console = Console(stderr=True) if as_json else Console()
    if report is not None:
        from emocal_rl.platform.runs.directory import find_run
        from emocal_rl.stages.ablation.journal import open_journal

        _present(open_journal(find_run(report, root).path), console, as_json=as_json)
        return
    flags = {"run.name": name, "cluster.address": address, "run.root": root if root != "runs" else None}
    described = (file, grid, only, seeds, baseline)
    given = any(value is not None for value in described)
    if resume is not None:
        opened = _open(resume, root, flags, described if given else None, config, sets)
    else:
        layout = _lay_out(*described, config, flags, sets)
        verdicts = _check_and_plan(layout, console)
        if dry_run:
            return
        opened = _continue_or_create(layout, verdicts, console, new=new)
    with opened as directory:
        _run(directory, console, address, max_failures=max_failures, as_json=as_json)


def _lay_out(
    file: str | None,
    grid: list[str] | None,
    only: list[str] | None,
    seeds: int | None,
    baseline: str | None,
    config: str | None,
    flags: dict[str, Any],
    sets: list[str] | None,
) -> "Layout":
    from emocal_rl.platform.config.ablation import AblationFile, make_ablation, read_ablation
    from emocal_rl.stages.ablation.grid import lay_out

    sys.path.insert(0, str(Path.cwd()))  # a user's plug-in lies where the user is
    ablation = read_ablation(file) if file is not None else AblationFile()
    given = {"grid": _parse_grid(grid) if grid else None, "only": only, "seeds": seeds, "baseline": baseline}
    changed = {key: value for key, value in given.items() if value is not None}
    if "grid" in changed:
        ablation = ablation.model_copy(update={"baseline": None, "only": []})
    ablation = make_ablation({**ablation.model_dump(), **changed}, "--seeds" if seeds is not None else "--grid")
    return lay_out(ablation, config or ablation.recipe or _default_recipe(ablation, sets), flags, sets or ())


def _default_recipe(ablation: "AblationFile", sets: list[str] | None) -> str | None:
    """The tiny policy's recipe, unless a model is given."""
    keys = {*ablation.settings, *(setting.partition("=")[0].strip() for setting in sets or ())}
    return None if "model.path" in keys else DEFAULT_RECIPE


def _parse_grid(options: list[str]) -> dict[str, list[Any]]:
    """Read `KEY=A,B`: the values are a YAML list without its brackets."""
    import yaml

    from emocal_rl.cli.launch import absolute_plugin
    from emocal_rl.platform.config.yaml_format import parse_value
    from emocal_rl.platform.errors import ConfigError, ConfigErrors

    grid: dict[str, list[Any]] = {}
    for option in options:
        key, separator, text = (part.strip() for part in option.partition("="))
        if not separator or not key:
            raise ConfigErrors([ConfigError("--grid", option, rule="must be KEY=VALUE,VALUE")])
        if key in grid:
            raise ConfigErrors([ConfigError("--grid", key, rule="is given twice", fix="Name all its values at once.")])
        try:
            values = parse_value(f"[{text}]")
        except yaml.YAMLError:
            raise ConfigErrors([ConfigError(f"--grid {key}", text, rule="not a list of YAML values")]) from None
        grid[key] = [absolute_plugin(value) if isinstance(value, str) else value for value in values]
    return grid


def _check_and_plan(layout: "Layout", console: "Console") -> list[str]:
    """Find what is wrong before anything starts, say what is about to happen; return the audit's line on each cell."""
    from emocal_rl.cli.ablate_plan import check, print_plan
    from emocal_rl.rewards.audit.one_line import one_line_verdict

    check(layout)
    verdicts = [one_line_verdict(cell.config.reward, cell.config.advantage) for cell in layout.cells]
    print_plan(layout, verdicts, console)
    return verdicts


def _continue_or_create(layout: "Layout", verdicts: list[str], console: "Console", *, new: bool) -> "RunDirectory":
    """Lock the run that the same command left unfinished, or a new one."""
    from emocal_rl.cli.live import open_view
    from emocal_rl.platform.config.load import dump_config
    from emocal_rl.platform.runs.atomic import write_text
    from emocal_rl.platform.runs.directory import RunDirectory
    from emocal_rl.platform.runs.unfinished import find_unfinished
    from emocal_rl.stages.ablation.journal import AblationJournal, is_ablation
    from emocal_rl.stages.inputs import check_inputs

    text, run = dump_config(layout.base), layout.base.run
    found = None if new else find_unfinished(run.root, run.name, text)
    if found is not None and is_ablation(found.path) and AblationJournal(found.path).is_of(layout.description):
        console.print(f"Continuing {found.path} (--new starts another run)", soft_wrap=True, highlight=False)
        return RunDirectory.open(found.path)
    if layout.stage == "calibration":
        with open_view(console) as view:
            check_inputs(layout.base, view)
    directory = RunDirectory.create(run.root, run.name)
    write_text(directory.config, text)
    AblationJournal.create(directory.path, layout, verdicts)
    return directory


def _open(
    run: str,
    root: str,
    flags: dict[str, Any],
    given: tuple[str | None, list[str] | None, list[str] | None, int | None, str | None] | None,
    config: str | None,
    sets: list[str] | None,
) -> "RunDirectory":
    """Lock an ablation that is to be continued, and refuse another grid than its own."""
    from emocal_rl.platform.errors import RunError
    from emocal_rl.platform.runs.directory import RunDirectory, find_run
    from emocal_rl.stages.ablation.journal import open_journal

    path = find_run(run, root).path
    journal = open_journal(path)
    fix = "Give --resume alone, or start a new ablation without it."
    if given is None and (config or sets):
        raise RunError("--resume", run, rule="an ablation keeps its configuration", fix=fix)
    if given is not None:
        from emocal_rl.platform.config.load import dump_config

        layout = _lay_out(*given, config, flags, sets)
        if not journal.is_of(layout.description):
            rule = "was begun with another grid, other cells or seeds, or another baseline"
            raise RunError("--resume", run, rule=rule, fix=fix)
        own = {each.run: each.config for each in layout.trials}
        begun = journal.configs()
        if any(dump_config(begun[name]) != dump_config(_placed_as(begun[name], each)) for name, each in own.items()):
            raise RunError("--resume", run, rule="was begun with another configuration", fix=fix)
    return RunDirectory.open(path)


def _placed_as(begun: "Config", config: "Config") -> "Config":
    """`config` in the place of a run that was begun: where it is run makes it no other run."""
    run = config.run.model_copy(update={"name": begun.run.name, "root": begun.run.root})
    return config.model_copy(update={"cluster": begun.cluster, "run": run})


def _run(
    directory: "RunDirectory", console: "Console", address: str | None, *, max_failures: int, as_json: bool
) -> None:
    from emocal_rl.cli.live import open_view
    from emocal_rl.platform.config.load import resolve_config
    from emocal_rl.platform.runs.log_file import log_to_file
    from emocal_rl.platform.runs.manifest import Manifest
    from emocal_rl.stages.ablation import job
    from emocal_rl.stages.ablation.journal import DONE, open_journal

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end like Ctrl-C: roles are stopped, the run is marked
    console.print(f"Run directory: {directory.path}", soft_wrap=True, highlight=False)
    config: Config = resolve_config(str(directory.config), {"cluster.address": address})
    journal = open_journal(directory.path)
    with (
        log_to_file(directory.log),
        open_view(console) as view,
        Manifest(directory.manifest, seeds={"run": config.run.seed}, stage="ablation") as manifest,
    ):
        job.run(job.AblationJob(config, journal, str(Path.cwd()), max_failures), view)
    failed = [run for run in journal.runs() if run.state not in DONE]
    _present(journal, console, as_json=as_json)
    if failed:
        manifest.finish("failed", f"{len(failed)} runs are not finished")
        console.print(f"{len(failed)} of {len(journal.runs())} runs are not finished; the same command goes on:")
        for run in failed:
            console.print(f"  {run.run} {run.state}: {run.error}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1)


def _present(journal: "AblationJournal", console: "Console", *, as_json: bool) -> None:
    """Write report, tables and pictures; print the tables and what came of the predictions."""
    from emocal_rl.cli.ablate_plan import print_verdicts
    from emocal_rl.cli.live import open_view
    from emocal_rl.platform.report.results.text import write_text
    from emocal_rl.stages.ablation.report import write_results

    with open_view(console) as view:
        results = write_results(journal, view)
    if as_json:
        typer.echo(json.dumps(results.values, indent=2, allow_nan=False))
    else:
        console.print(write_text(results.tables), markup=False, highlight=False, soft_wrap=True)
        print_verdicts(results.verdicts, console)
    console.print(f"Report: {results.page}", soft_wrap=True, highlight=False)
