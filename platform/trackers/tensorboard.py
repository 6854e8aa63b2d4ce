import time
from collections.abc import Mapping

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.runs.directory import RunDirectory


class TensorBoardTracker:
    """Event files in the run's `tensorboard/`, by TensorBoard's own writer: torch stays out of the driver."""

    def __init__(self, run: RunDirectory, config: Config) -> None:  # noqa: ARG002  (every tracker is opened alike)
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(run.path / "tensorboard"))

    def log(self, group: str, metrics: Mapping[str, float], step: int) -> None:
        """Write one event that holds every metric."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=f"{group}/{name}", simple_value=value) for name, value in metrics.items()]
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    def close(self) -> None:
        """Flush and close the event file."""
        self._writer.close()
