import json

import typer

from emocal_rl.cli.options import JsonOption, RootOption, RunArgument

app = typer.Typer(help="List runs and show what one of them holds.", no_args_is_help=True)


@app.command("list")
def list_(root: RootOption = "runs", as_json: JsonOption = False) -> None:
    """List the runs, newest first."""
    from emocal_rl.platform.runs.listing import list_runs

    found = list_runs(root)
    if as_json:
        typer.echo(json.dumps([run.to_dict() for run in found], indent=2))
        return
    if not found:
        typer.echo(f"No runs in {root}. `emocal-rl launch` starts one.")
        return
    from emocal_rl.cli.tables import print_runs

    print_runs(found)


@app.command()
def show(run: RunArgument, root: RootOption = "runs", as_json: JsonOption = False) -> None:
    """Show one run: state, metrics, checkpoints, and the manifest behind them."""
    from emocal_rl.platform.runs.directory import find_run
    from emocal_rl.platform.runs.listing import summarize_run
    from emocal_rl.platform.runs.manifest import read_manifest

    found = find_run(run, root)
    summary, manifest = summarize_run(found), read_manifest(found.manifest)
    if as_json:
        typer.echo(json.dumps({"summary": summary.to_dict(), "manifest": manifest}, indent=2))
        return
    from emocal_rl.cli.tables import print_comparisons, print_run
    from emocal_rl.platform.report.comparison import compare
    from emocal_rl.platform.report.data import read_evaluations

    print_run(summary, manifest)
    print_comparisons(compare(read_evaluations(found, notes=[])))
