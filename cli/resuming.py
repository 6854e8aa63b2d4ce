from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emocal_rl.platform.config.tree import Config
    from emocal_rl.platform.runs.directory import RunDirectory


def open_to_resume(
    command: str, run: str, root: str, flags: Mapping[str, Any], *, has_settings: bool
) -> tuple["RunDirectory", "Config"]:
    """Lock a run that is to be continued, with its own configuration: another one would make it another run.

    Args:
        command: what is to continue it: `launch`, `sft reasoning`, ...
        run: name, path or `latest`.
        root: folder of run directories.
        flags: config keys of the command's options; of those only the cluster may be another.
        has_settings: whether --config or --set was given.

    Raises:
        RunError: there is no such run, it is in use, another command began it, or other settings were given.
    """
    from emocal_rl.platform.config.load import resolve_config
    from emocal_rl.platform.errors import RunError
    from emocal_rl.platform.runs.directory import RunDirectory, find_run

    given = [key for key, value in flags.items() if value is not None and key != "cluster.address"]
    if given or has_settings:
        rule = f"a resumed run keeps its configuration, yet {', '.join(given) or '--config or --set'} was given"
        raise RunError("--resume", run, rule=rule, fix="Drop those options, or start a new run without --resume.")
    path = find_run(run, root).path
    _refuse_other_command(command, path)
    config = resolve_config(str(path / "config.yaml"), {"cluster.address": flags["cluster.address"]})
    return RunDirectory.open(path), config


def _refuse_other_command(command: str, path: Path) -> None:
    """Refuse a run that another command began, and a pipeline's stage, which only the whole pipeline continues."""
    from emocal_rl.platform.errors import RunError
    from emocal_rl.platform.runs.manifest import read_manifest

    if read_manifest(path.resolve().parent / "manifest.json").get("stage") == "pipeline":
        fix = f"Continue the whole: emocal-rl pipeline --resume {path.resolve().parent}"
        raise RunError("--resume", str(path), rule="is a stage of a pipeline's run", fix=fix)
    manifest = read_manifest(path / "manifest.json")
    stage = manifest.get("stage") or "calibration"
    began = {"calibration": "launch", "pipeline": "pipeline"}.get(stage, f"sft {stage}")
    if manifest and began != command:
        fix = f"Continue it with: emocal-rl {began} --resume {path}"
        raise RunError("--resume", str(path), rule=f"was begun by `emocal-rl {began}`", fix=fix)
