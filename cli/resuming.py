from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emocal_rl.platform.config.tree import Config
    from emocal_rl.platform.runs.directory import RunDirectory


def open_to_resume(
    run: str, root: str, flags: Mapping[str, Any], *, has_settings: bool
) -> tuple["RunDirectory", "Config"]:
    """Lock a run that is to be continued, with its own configuration: another one would make it another run.

    Args:
        run: name, path or `latest`.
        root: folder of run directories.
        flags: config keys of the command's options; of those only the cluster may be another.
        has_settings: whether --config or --set was given.

    Raises:
        RunError: there is no such run, it is in use, or other settings were given.
    """
    from emocal_rl.platform.config.load import resolve_config
    from emocal_rl.platform.errors import RunError
    from emocal_rl.platform.runs.directory import RunDirectory, find_run

    given = [key for key, value in flags.items() if value is not None and key != "cluster.address"]
    if given or has_settings:
        rule = f"a resumed run keeps its configuration, yet {', '.join(given) or '--config or --set'} was given"
        raise RunError("--resume", run, rule=rule, fix="Drop those options, or start a new run without --resume.")
    path = find_run(run, root).path
    config = resolve_config(str(path / "config.yaml"), {"cluster.address": flags["cluster.address"]})
    return RunDirectory.open(path), config
