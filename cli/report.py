import typer

from emocal_rl.cli.options import RootOption, RunArgument


def report(run: RunArgument = "latest", root: RootOption = "runs") -> None:
    """Draw a run's report.html again, from what its directory holds now."""
    from emocal_rl.platform.config.load import resolve_config
    from emocal_rl.platform.report.html import write_report
    from emocal_rl.platform.report.images import image_loader
    from emocal_rl.platform.runs.directory import find_run

    found = find_run(run, root)
    config = resolve_config(str(found.config))
    typer.echo(str(write_report(found, image_loader(config.data))))
