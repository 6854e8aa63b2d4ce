from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.report.html import write_report
from emocal_rl.platform.report.images import image_loader
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import Journal
from emocal_rl.platform.runs.log_file import log_to_file
from emocal_rl.platform.runs.manifest import Manifest
from emocal_rl.platform.trackers.opening import open_trackers
from emocal_rl.stages.recorder import Recorder


@contextmanager
def recording(
    config: Config, directory: RunDirectory, progress: Progress, *, stage: str, seeds: Mapping[str, int]
) -> Iterator[tuple[Manifest, Recorder]]:
    """Open what a run writes down: log, journal, trackers, manifest; at the end, however it came, the report."""
    with log_to_file(directory.log), Journal(directory) as journal:
        trackers = open_trackers(config, directory, progress.message)
        try:
            with Manifest(directory.manifest, seeds=seeds, stage=stage) as manifest:
                yield manifest, Recorder(journal, trackers, progress)
        finally:
            trackers.close()
            write_report(directory, image_loader(config.data))
