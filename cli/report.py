import typer

from emocal_rl.cli.options import RootOption, RunArgument


def report(run: RunArgument = "latest", root: RootOption = "runs") -> None:
    """Draw a run's report.html again, from what its directory holds now; an ablation's with its tables and pictures."""
    from emocal_rl.platform.config.load import resolve_config
    from emocal_rl.platform.progress import SilentProgress
    from emocal_rl.platform.report.html import write_report
    from emocal_rl.platform.report.images import image_loader
    from emocal_rl.platform.runs.directory import find_run
    from emocal_rl.stages.ablation.journal import is_ablation, open_journal
    from emocal_rl.stages.ablation.report import write_results

    found = find_run(run, root)
    if is_ablation(found.path):
        typer.echo(str(write_results(open_journal(found.path), SilentProgress()).page))
        return
    config = resolve_config(str(found.config))
    typer.echo(str(write_report(found, image_loader(config.data))))
