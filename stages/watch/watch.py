from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import ScoredGroup
from emocal_rl.platform.errors import AlarmError
from emocal_rl.stages.recorder import Recorder
from emocal_rl.stages.watch.alarms import sounding
from emocal_rl.stages.watch.monitors import monitors


class Watch:
    """Looks at every step of a run: records its figures with the monitors', and raises the alarms.

    An alarm is told once in a run, its resumed parts included, except that one that stops the run does so every time.

    Args:
        config: of the run.
        recorder: the run's journal and view.
        known: ids of the samples that the cold start answered right; None if it was not asked.
        journal: rows of an earlier part of the run, which this one continues.
    """

    def __init__(
        self,
        config: Config,
        recorder: Recorder,
        known: Collection[str] | None = None,
        journal: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        rows = list(journal)
        self._config, self._recorder, self._known = config, recorder, known
        self._history = [row for row in rows if row["kind"] == "train"]
        self._told = {row["alarm"] for row in rows if row["kind"] == "event" and "alarm" in row}

    def record(self, step: int, groups: Sequence[ScoredGroup], row: Mapping[str, Any]) -> AlarmError | None:
        """Record one step: `row` with the monitors' figures beside it.

        Returns:
            The error to end the run with, where an alarm of `alarms.stop` sounds.
        """
        settings = self._config.alarms
        self._history.append({**row, **monitors(groups, self._config, self._known)})
        self._recorder.metrics("train", self._history[-1], step=step)
        stop = None
        for alarm, finding in sounding(self._history, settings).items():
            if alarm not in self._told:
                self._recorder.alarm(alarm, finding, step=step)
                self._told.add(alarm)
            if alarm in settings.stop:
                stop = stop or AlarmError(alarm, step, finding)
        return stop
