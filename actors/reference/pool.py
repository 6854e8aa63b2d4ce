from typing import Any


class ReferencePool:
    """Driver-side face of the reference workers: groups go round in turn, as object refs.

    Args:
        workers: Ray handles of `ReferenceWorker` actors, created with restarts and task retries: the policy is frozen, so
            a worker that dies costs a retry and nothing else.
    """

    def __init__(self, workers: list[Any]) -> None:
        self._workers = workers
        self._next = 0

    def logprobs(self, group: Any) -> Any:
        """Score the tokens of the group behind an object ref; return the object ref of its log-probs."""
        worker = self._workers[self._next % len(self._workers)]
        self._next += 1
        return worker.logprobs.remote(group)
