from pathlib import Path

from emocal_rl.platform.runs.directory import RunDirectory, iterate_runs
from emocal_rl.platform.runs.manifest import read_manifest


def find_unfinished(root: str | Path, name: str, config_yaml: str) -> RunDirectory | None:
    """The newest run under `root` that the same command left unfinished: it was killed, interrupted, or failed.

    Args:
        root: folder of run directories.
        name: first part of the run's name.
        config_yaml: the resolved configuration, as `dump_config` writes it.

    Returns:
        None when there is none; a run that some process is still working on does not count.
    """
    unfinished = [
        run
        for run in iterate_runs(root)
        if run.name.startswith(f"{name}-")
        and run.config.read_text(encoding="utf-8") == config_yaml
        and read_manifest(run.manifest).get("status") != "finished"
        and not run.lock.is_held()
    ]
    return max(unfinished, key=lambda run: run.config.stat().st_mtime, default=None)
