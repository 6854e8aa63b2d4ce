"""Options that several commands share. Values are text here; the config decides what they mean."""

import re
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_RECIPE = "synthvec"


def local_only(out: Path | None) -> Path | None:
    """Callback of an option that names a local file or folder: refuses a URL, which `Path` takes for a folder's name.

    Raises:
        UserError: it is a URL.
    """
    from emocal_rl.platform.errors import UserError

    if out is not None and len(out.parts) > 1 and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]+:", out.parts[0]):
        url = out.as_posix().replace(":/", "://", 1)
        raise UserError("--out", url, rule="must be a local path", fix="Copy it where it should go.")
    return out


ConfigOption = Annotated[
    str | None,
    typer.Option("--config", "-c", metavar="NAME|PATH", help="Shipped recipe, or path or URL of a YAML file."),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set any config key, e.g. loss.kl_coefficient=0.")
]
RewardOption = Annotated[
    str | None,
    typer.Option(
        metavar="RULE",
        help="Confidence rule: a name of `rewards list`, package.module:function, path/to/file.py:function or "
        "http://host/path.",
    ),
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Whole reward composition: paper, split-credit, official, rlcr, rewarding-doubt or sayself.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
RootOption = Annotated[str, typer.Option("--root", metavar="DIR", help="Folder that holds run directories.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Name, path, or `latest`.")]
RevisionOption = Annotated[str | None, typer.Option(help="Commit, tag or branch of a hub id.")]
ImageRootOption = Annotated[str | None, typer.Option(metavar="DIR", help="Where relative image paths start.")]
AddressOption = Annotated[
    str | None, typer.Option(help="Ray cluster: local (an own one), auto (this machine's) or host:port.")
]
ResumeOption = Annotated[
    str | None, typer.Option(metavar="RUN", help="Continue a run from its last complete checkpoint.")
]
NewOption = Annotated[bool, typer.Option("--new", help="Start anew although the same command left a run unfinished.")]
