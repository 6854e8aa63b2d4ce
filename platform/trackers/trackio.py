from collections.abc import Mapping

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.runs.directory import RunDirectory


class TrackioTracker:
    """Trackio, Hugging Face's local-first tracker; view it with `trackio show`."""

    def __init__(self, run: RunDirectory, config: Config) -> None:
        import trackio

        self._run = trackio.init(
            project=config.tracking.project, name=run.name, config=config.model_dump(mode="json"), embed=False
        )

    def log(self, group: str, metrics: Mapping[str, float], step: int) -> None:
        """Log to the run's local database."""
        self._run.log({f"{group}/{name}": value for name, value in metrics.items()}, step=step)

    def close(self) -> None:
        """Write out what is pending."""
        self._run.finish()
