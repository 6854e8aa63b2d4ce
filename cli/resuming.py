from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emocal_rl.platform.config.tree import Config
    from emocal_rl.platform.runs.directory import RunDirectory


def open_to_resume(
    command: str, run: str, root: str, flags: Mapping[str, Any], *, config: str | None, sets: Sequence[str] | None
) -> tuple["RunDirectory", "Config"]:
    """Lock a run that is to be continued, with its own configuration: another one would make it another run.

    Only what leaves the training as it is may be another: the cluster, and the alarms. The run's `config.yaml` then
    says so.

    Args:
        command: what is to continue it: `launch`, `sft reasoning`, ...
        run: name, path or `latest`.
        root: folder of run directories.
        flags: config keys of the command's options.
        config: what --config was given.
        sets: what --set was given.

    Raises:
        RunError: there is no such run, it is in use, another command began it, or other settings were given.
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
    _refuse_other_command(command, path)
    resolved = resolve_config(str(path / "config.yaml"), {"cluster.address": flags["cluster.address"]}, sets or ())
    directory = RunDirectory.open(path)
    if sets:
        write_text(directory.config, dump_config(resolve_config(str(path / "config.yaml"), sets=sets)))
    return directory, resolved


def _refuse_other_command(command: str, path: Path) -> None:
    """Refuse a run that another command began, and one that is part of a whole, which only that continues."""
    from emocal_rl.platform.errors import RunError
    from emocal_rl.platform.runs.manifest import read_manifest

    whole = path.resolve().parent
    parts = {"pipeline": ("pipeline", "a stage of a pipeline's run"), "ablation": ("ablate", "a run of an ablation")}
    if (part := parts.get(read_manifest(whole / "manifest.json").get("stage", ""))) is not None:
        fix = f"Continue the whole: emocal-rl {part[0]} --resume {whole}"
        raise RunError("--resume", str(path), rule=f"is {part[1]}", fix=fix)
    manifest = read_manifest(path / "manifest.json")
    stage = manifest.get("stage") or "calibration"
    began = {"calibration": "launch", "pipeline": "pipeline", "ablation": "ablate"}.get(stage, f"sft {stage}")
    if manifest and began != command:
        fix = f"Continue it with: emocal-rl {began} --resume {path}"
        raise RunError("--resume", str(path), rule=f"was begun by `emocal-rl {began}`", fix=fix)
