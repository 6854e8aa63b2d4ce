import json
from typing import Annotated

import typer

from emocal_rl.cli.options import JsonOption

_MARKS = {"ok": ("✓", typer.colors.GREEN), "warning": ("!", typer.colors.YELLOW), "broken": ("✗", typer.colors.RED)}


def doctor(
    as_json: JsonOption = False,
    root: Annotated[str, typer.Option("--root", metavar="DIR", help="Folder runs will be written to.")] = "runs",
) -> None:
    """Check this machine: versions, engines, memory, disk, GPU, and what to do about each. Exit code 1 if broken."""
    from emocal_rl.cli.doctor_checks import run_checks

    found = []
    for check in run_checks(root):
        found.append(check)
        if not as_json:
            mark, colour = _MARKS[check.status]
            typer.echo(f"{typer.style(mark, fg=colour, bold=True)} {check.name}: {check.found}")
            if check.advice:
                typer.echo(f"    {check.advice}")
    if as_json:
        typer.echo(json.dumps([check.to_dict() for check in found], indent=2))
    if any(check.status == "broken" for check in found):
        raise typer.Exit(1)
