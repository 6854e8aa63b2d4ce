from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emocal_rl.platform.config.tree import Config
    from emocal_rl.platform.runs.directory import RunDirectory


def open_to_resume(
    run: str, root: str, flags: Mapping[str, Any], *, config: str | None, sets: Sequence[str] | None
) -> tuple["RunDirectory", "Config"]:
    """Lock a run that is to be continued, with its own configuration: another one would make it another run.

    Only what leaves the training as it is may be another: the cluster, and the alarms. The run's `config.yaml` then
    says so.

    Args:
        run: name, path or `latest`.
        root: folder of run directories.
        flags: config keys of the command's options.
        config: what --config was given.
        sets: what --set was given.

    Raises:
        RunError: there is no such run, it is in use, or other settings were given.
        ConfigErrors: a setting of the alarms is not one.
    """
    from emocal_rl.platform.config.load import dump_config, resolve_config
    from emocal_rl.platform.errors import RunError
    from emocal_rl.platform.runs.atomic import write_text
    from emocal_rl.platform.runs.directory import RunDirectory, find_run

    given = [key for key, value in flags.items() if value is not None and key != "cluster.address"]
    given += ["--config"] if config else []
    given += [f"--set {setting}" for setting in sets or () if not setting.strip().startswith("alarms.")]
    if given:
        rule = f"a resumed run keeps its configuration but for alarms.*, yet {', '.join(given)} was given"
        raise RunError("--resume", run, rule=rule, fix="Drop those options, or start a new run without --resume.")
    path = find_run(run, root).path
    resolved = resolve_config(str(path / "config.yaml"), {"cluster.address": flags["cluster.address"]}, sets or ())
    directory = RunDirectory.open(path)
    if sets:
        write_text(directory.config, dump_config(resolve_config(str(path / "config.yaml"), sets=sets)))
    return directory, resolved
