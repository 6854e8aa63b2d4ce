"""Options that several commands share. Values are text here; the config decides what they mean."""

from typing import Annotated

import typer

DEFAULT_RECIPE = "synthvec"

ConfigOption = Annotated[
    str | None,
    typer.Option("--config", "-c", metavar="NAME|PATH", help="Shipped recipe, or path or URL of a YAML file."),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set any config key, e.g. loss.kl_coefficient=0.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
RootOption = Annotated[str, typer.Option("--root", metavar="DIR", help="Folder that holds run directories.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Name, path, or `latest`.")]
RevisionOption = Annotated[str | None, typer.Option(help="Commit, tag or branch of a hub id.")]
ImageRootOption = Annotated[str | None, typer.Option(metavar="DIR", help="Where relative image paths start.")]
AddressOption = Annotated[
    str | None, typer.Option(help="Ray cluster: local (an own one), auto, host:port or ray://host:port.")
]
ResumeOption = Annotated[
    str | None, typer.Option(metavar="RUN", help="Continue a run from its last complete checkpoint.")
]
NewOption = Annotated[bool, typer.Option("--new", help="Start anew although the same command left a run unfinished.")]
