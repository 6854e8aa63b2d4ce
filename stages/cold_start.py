"""The tiny policy up to the start of stage 3: pre-training, stage 1, stage 2, built once and kept in the cache."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emocal_rl.cluster.placement import Placement
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.stages import base_policy, confidence, reasoning
from emocal_rl.stages.cold_start_cache import ColdStart, find_cold_start, with_cold_start_seed
from emocal_rl.stages.inputs import synthvec_world


def run(config: Config, placement: Placement, progress: Progress) -> ColdStart:
    """Build the cold start: world, vision, language, stage 1, labels, stage 2; or return the cached one."""
    cold_start, config = find_cold_start(config), with_cold_start_seed(config)
    with _exclusive(cold_start.directory, progress):
        if cold_start.is_complete:
            return cold_start
        progress.phase("synthetic world")
        files = synthvec_world(config)
        partial = ColdStart(cold_start.directory.with_suffix(".partial"))
        shutil.rmtree(partial.directory, ignore_errors=True)
        record = {
            "base": base_policy.run(config, placement, files, partial.base, progress),
            "reasoning": reasoning.run(
                config, placement, partial.base, str(files.reasoning), partial.scaffold, progress
            ),
            "confidence": confidence.run(
                config, placement, partial.scaffold, str(files.confidence), partial.model, progress
            ),
        }
        write_text(partial.record, json.dumps(record, indent=2) + "\n")
        partial.directory.rename(cold_start.directory)
    return cold_start


@contextmanager
def _exclusive(directory: Path, progress: Progress) -> Iterator[None]:
    """Let one process at a time build `directory`; the others say that they wait, and then find it there."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.phase("cold start, which another process builds")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
