from collections.abc import Sequence
from typing import Any


class StatelessPool:
    """Workers that only compute, taking turns: reward workers and reference workers, seen from the driver.

    Args:
        workers: Ray handles of actors created with restarts and task retries. What they compute depends on its
            arguments only, so a worker that dies costs a retry and nothing else.
        method: what is asked of them.
    """

    def __init__(self, workers: Sequence[Any], method: str) -> None:
        self.workers = list(workers)
        self._method = method
        self._turn = 0

    def submit(self, *arguments: Any) -> Any:
        """Ask the next worker about `arguments` (refs are resolved on its side); return the ref of the answer."""
        worker = self.workers[self._turn % len(self.workers)]
        self._turn += 1
        return getattr(worker, self._method).remote(*arguments)
