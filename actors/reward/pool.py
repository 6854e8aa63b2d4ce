from collections.abc import Sequence
from typing import Any


class RewardPool:
    """Driver-side face of the reward workers: groups go round in turn, as object refs.

    Args:
        workers: Ray handles of `RewardWorker` actors, created with restarts and task retries: scoring is pure, so a
            worker that dies costs a retry and nothing else.
    """

    def __init__(self, workers: Sequence[Any]) -> None:
        self._workers = list(workers)
        self._next = 0

    def score(self, group: Any) -> Any:
        """Score the group behind an object ref; return the object ref of its `ScoredGroup`."""
        worker = self._workers[self._next % len(self._workers)]
        self._next += 1
        return worker.score.remote(group)
