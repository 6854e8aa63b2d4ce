"""One cell with one seed: the very jobs of `launch` and `pipeline`, in a folder of the ablation's."""

import logging
import sys
from pathlib import Path

from emocal_rl.platform.config.ablation import AblatedStage
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import AlarmError, UserError
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.log_file import log_to_file
from emocal_rl.platform.runs.manifest import Manifest, read_manifest
from emocal_rl.stages import launch, pipeline
from emocal_rl.stages.ablation.starting_model import evaluate_trained, stage_world
from emocal_rl.stages.recording import recording

_LOGGER = logging.getLogger(__name__)


def run_cell(path: Path, progress: Progress, *, stage: AblatedStage, search_path: str) -> None:
    """Run a cell from wherever it stands to its end; an alarm that stops it is an end, too.

    Args:
        path: folder of the run, with its `config.yaml`.
        progress: told how far it is.
        stage: the stage to run.
        search_path: where a user's reward plug-in is imported from.
    """
    sys.path.insert(0, search_path)
    config = resolve_config(str(path / "config.yaml"))
    with RunDirectory.at(path) as directory:
        try:
            if stage == "calibration":
                _calibrate(config, directory, search_path, progress)
            else:
                _train_supervised(config, directory, stage, search_path, progress)
        except AlarmError as alarm:
            progress.message(str(alarm))
        except UserError:
            raise
        except Exception:
            with log_to_file(directory.log):
                _LOGGER.exception("the run has failed")
            raise


def _calibrate(config: Config, directory: RunDirectory, search_path: str, progress: Progress) -> None:
    resumes = bool(read_manifest(directory.manifest))
    seeds = {"run": config.run.seed, "synthvec": config.synthvec.seed}
    with recording(config, directory, progress, stage="calibration", seeds=seeds) as (manifest, recorder):
        launch.run(launch.Job(config, directory, search_path, resumes), manifest, recorder, progress)


def _train_supervised(
    config: Config, directory: RunDirectory, stage: AblatedStage, search_path: str, progress: Progress
) -> None:
    """Stage 1 or 2 as `pipeline` runs it, then the trained model on the test set."""
    parent, known_hashes = directory.path.parent, read_manifest(directory.manifest).get("hashes", {})
    config, oracle = stage_world(config, parent, stage, progress)
    with (
        log_to_file(directory.log),
        Manifest(directory.manifest, seeds={"run": config.run.seed}, stage=f"ablated {stage}") as manifest,
    ):
        job = pipeline.PipelineJob(config, directory, stage, search_path)
        pipeline.run(job, manifest, progress, known_hashes)
        trained = config.model.model_copy(update={"path": str(directory.path / stage / "model")})
        evaluate_trained(config.model_copy(update={"model": trained}), directory, oracle, progress)
