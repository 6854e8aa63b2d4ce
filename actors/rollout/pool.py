"""The rollout workers as one: hand out requests, stream finished groups, replace workers that die."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emocal_rl.platform.contracts import RolloutRequest
from emocal_rl.platform.errors import DataError, WorkerError

_log = logging.getLogger(__name__)

Batch = Mapping[int, RolloutRequest]
"""Requests by their index among all."""
Refused = Callable[[int, DataError], object]
"""Told the index of a request that cannot be sampled, and why: its prompt is too long, say."""


@dataclass
class _Stream:
    """One worker's running generator, the requests it has yet to answer, and whose group it will deliver next."""

    worker: Any
    refs: Any
    unfinished: dict[int, RolloutRequest]
    arriving: int | None = None


class RolloutPool:
    """Driver-side face of all rollout workers. It holds object refs of groups, never the groups.

    Args:
        workers: Ray handles of `RolloutWorker` actors created with `max_restarts`.
        max_restarts: deaths in total after which the run gives up.
        restart_timeout_s: how long a restarted worker may take to load its engine.
    """

    def __init__(self, workers: Sequence[Any], *, max_restarts: int, restart_timeout_s: float = 600.0) -> None:
        self.workers = list(workers)
        self.num_deaths = 0
        self._max_restarts, self._restart_timeout_s = max_restarts, restart_timeout_s
        self._snapshot: Callable[[], Any] | None = None
        self._version = 0

    def sync(self, weights: Any, version: int) -> None:
        """Give every worker the weights of `version` and wait until each has confirmed it.

        Args:
            weights: object ref of a weight snapshot; kept, so that a restarted worker can catch up.
            version: the learner's weight version.
        """
        self._snapshot, self._version = lambda: weights, version
        self._gather({worker.update_weights.remote(weights, version): worker for worker in self.workers})

    def replace_dead(self) -> None:
        """Make sure that every worker lives, and count those that died. New weights must follow: none catches up."""
        self._snapshot = None
        versions = self._gather({worker.ready.remote(): worker for worker in self.workers})
        for version in versions:
            if version != self._version:
                self._count_death("it was restarted before anybody asked for it")

    def confirm(self, version: int, snapshot: Callable[[], Any]) -> None:
        """From now on ask for `version`, which every worker has received without this pool.

        Args:
            version: the learner's weight version.
            snapshot: gives the object ref of a snapshot of that version, for a worker that is restarted later.
        """
        self._snapshot, self._version = snapshot, version

    def stream(self, requests: Sequence[RolloutRequest], refused: Refused | None = None) -> Iterator[tuple[int, Any]]:
        """Sample every request; yield (index of the request, object ref of its `RolloutGroup`) as groups finish.

        A worker that dies is restarted, brought to the current weights, and asked again for the groups it had not
        delivered: each request comes out exactly once.

        Args:
            requests: what to sample.
            refused: called for a request that cannot be sampled.

        Raises:
            WorkerError: workers died more than `max_restarts` times.
            DataError: a request cannot be sampled, and `refused` is None.
        """
        numbered, num_workers = list(enumerate(requests)), len(self.workers)
        batches = [iter([dict(numbered[start::num_workers])]) for start in range(num_workers)]
        yield from self.stream_batches(batches, refused)

    def stream_batches(
        self, batches: Sequence[Iterator[Batch]], refused: Refused | None = None
    ) -> Iterator[tuple[int, Any]]:
        """As `stream`, for more requests than there should be at a time: each worker has batches of its own.

        A worker is given its next batch as soon as it has delivered the last one, however far the others are.
        """
        import ray

        own = dict(zip(self.workers, batches, strict=True))
        streams = {worker: stream for worker in self.workers if (stream := self._begin_next(worker, own[worker]))}
        while streams:
            by_generator = {stream.refs: stream for stream in streams.values()}
            (ready, *_), _ = ray.wait(list(by_generator), num_returns=1)
            stream = by_generator[ready]
            try:
                ref = next(stream.refs)
                if stream.arriving is None:
                    arriving = ray.get(ref)
                    if isinstance(arriving, tuple):
                        index, error = arriving
                        del stream.unfinished[index]
                        if refused is None:
                            raise error
                        refused(index, error)
                    else:
                        stream.arriving = arriving
                    continue
                index, stream.arriving = stream.arriving, None
                ray.wait([ref], fetch_local=False)
            except StopIteration:
                del streams[stream.worker]
                if following := self._begin_next(stream.worker, own[stream.worker]):
                    streams[stream.worker] = following
                continue
            except ray.exceptions.RayActorError as error:
                self._revive(stream.worker, error)
                streams[stream.worker] = self._begin(stream.worker, stream.unfinished)
                continue
            del stream.unfinished[index]
            yield index, ref

    def _begin_next(self, worker: Any, batches: Iterator[Batch]) -> _Stream | None:
        batch = next(batches, None)
        return self._begin(worker, batch) if batch else None

    def _begin(self, worker: Any, batch: Batch) -> _Stream:
        refs = worker.stream.options(num_returns="streaming").remote(list(batch.items()), self._version)
        return _Stream(worker, refs, dict(batch))

    def _gather(self, pending: Mapping[Any, Any]) -> list[Any]:
        """Answers of those workers that live, by ref; the others are revived."""
        import ray

        answers = []
        for ref, worker in pending.items():
            try:
                answers.append(ray.get(ref))
            except ray.exceptions.RayActorError as error:
                self._revive(worker, error)
        return answers

    def _count_death(self, reason: object) -> None:
        self.num_deaths += 1
        if self.num_deaths > self._max_restarts:
            raise WorkerError(
                f"rollout workers died {self.num_deaths} times (rollout.max_restarts is {self._max_restarts}), last: "
                f"{reason}. If memory ran out, lower rollout.num_workers or rollout.max_num_seqs"
            )
        _log.warning("a rollout worker died and is restarted (%d of %d)", self.num_deaths, self._max_restarts)

    def _revive(self, worker: Any, error: Exception) -> None:
        """Wait until Ray has restarted `worker`, then bring it to the current weights."""
        import ray

        self._count_death(error)
        weights = self._snapshot() if self._snapshot else None
        deadline = time.monotonic() + self._restart_timeout_s
        while True:
            try:
                if weights is not None:
                    ray.get(worker.update_weights.remote(weights, self._version))
                else:
                    ray.get(worker.ready.remote())
            except ray.exceptions.ActorUnavailableError:
                if time.monotonic() > deadline:
                    raise WorkerError(f"a rollout worker did not come back: {error}") from error
                time.sleep(0.5)
            except ray.exceptions.ActorDiedError as died:
                raise WorkerError(f"a rollout worker could not be restarted: {died}") from died
            else:
                return
