from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import ConfigError, ConfigErrors
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.trackers.tracker import Tracker
from emocal_rl.platform.trackers.tracker_set import TrackerSet

_CLASSES = {
    "tensorboard": "TensorBoardTracker",
    "wandb": "WandbTracker",
    "trackio": "TrackioTracker",
    "mlflow": "MLflowTracker",
}


def check_trackers(config: Config) -> None:
    """Check that every configured tracker is installed, before anything expensive starts.

    Raises:
        ConfigErrors: extras are missing; each error names the command that installs one.
    """
    missing = [name for name in config.tracking.trackers if find_spec(name) is None]
    if missing:
        raise ConfigErrors(
            ConfigError(
                "tracking.trackers",
                name,
                rule=f"the package {name} is not installed",
                fix=f"Run: pip install 'emocal-rl[{name}]'",
            )
            for name in missing
        )


def open_trackers(config: Config, run: RunDirectory, warn: Callable[[str], None]) -> TrackerSet:
    """Open the configured trackers, each in a thread of its own.

    `warn` is called, mostly from a tracker's thread, with one message when that tracker is given up.

    Raises:
        ConfigErrors: as `check_trackers`.
    """
    check_trackers(config)
    names = dict.fromkeys(config.tracking.trackers)
    return TrackerSet({name: partial(_open, name, run, config) for name in names}, warn)


def _open(name: str, run: RunDirectory, config: Config) -> Tracker:
    module = import_module(f"emocal_rl.platform.trackers.{name}")
    tracker: Tracker = getattr(module, _CLASSES[name])(run, config)
    return tracker
