from collections.abc import Collection, Iterable, Mapping

from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.runs.journal import Journal, Kind
from emocal_rl.platform.trackers.tracker_set import TrackerSet


class Recorder:
    """Where a run's figures go: the journal always, then the trackers, then whoever watches."""

    def __init__(self, journal: Journal, trackers: TrackerSet, progress: Progress) -> None:
        self._journal, self._trackers, self._progress = journal, trackers, progress
        self._refused: set[str] = set()

    def metrics(self, kind: Kind, values: Mapping[str, object], *, step: int) -> None:
        """Record one row of figures."""
        row = self._journal.append(kind, values, step=step)
        self._trackers.log(row)
        self._progress.metrics(row)

    def event(self, name: str, message: str) -> None:
        """Record something that happened."""
        self._journal.event(name, message)

    def refused(self, errors: Iterable[DataError]) -> None:
        """Record why prompts cannot be sampled, each once, and tell whoever watches."""
        for message in dict.fromkeys(map(str, errors)):
            if message not in self._refused:
                self._refused.add(message)
                self._journal.event("refused", message)
                self._progress.message(f"not sampled: {message}")

    def alarm(self, alarm: str, finding: str, *, step: int) -> None:
        """Record that an alarm sounds, and tell whoever watches."""
        message = f"{alarm} at step {step}: {finding}"
        row = self._journal.append("event", {"name": "alarm", "alarm": alarm, "message": message}, step=step)
        self._progress.metrics(row)

    def forget_after(self, step: int, kinds: Collection[Kind]) -> None:
        """Forget the rows of some kinds after `step`, and samples, which a resumed run will write again."""
        self._journal.truncate_after(step, kinds)
