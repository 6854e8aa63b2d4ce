import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from emocal_rl.stages.batches_ahead import BATCH, stream_ahead


class Rollouts:
    """Workers that answer at once; worker 0 answers everything before worker 1 is given anything, and so on."""

    def __init__(self, num_workers: int) -> None:
        self.workers = list(range(num_workers))
        self.given: list[list[list[int]]] = [[] for _ in self.workers]

    def stream_batches(
        self,
        batches: Sequence[Iterator[Mapping[int, Any]]],
        refused: Any = None,  # noqa: ARG002
    ) -> Iterator[tuple[int, Any]]:
        for worker, own in zip(self.workers, batches, strict=True):
            for batch in own:
                self.given[worker].append(list(batch))
                yield from batch.items()


class Reader:
    """Makes requests; `ahead` is the most items that were read and not yet answered."""

    def __init__(self) -> None:
        self.num_open = self.ahead = 0
        self._lock = threading.Lock()

    def __call__(self, items: Sequence[int]) -> list[str]:
        self.open(len(items))
        return [f"request {item}" for item in items]

    def open(self, change: int) -> None:
        with self._lock:
            self.num_open += change
            self.ahead = max(self.ahead, self.num_open)


@pytest.mark.parametrize("num_workers", [1, 2, 8])
def test_every_worker_has_batches_of_its_own_and_few_are_read_ahead(num_workers: int) -> None:
    rollouts, reader, items = Rollouts(num_workers), Reader(), [10 * index for index in range(9 * BATCH + 5)]
    answers = {}
    for index, answer in stream_ahead(rollouts, items, reader):  # type: ignore[arg-type]
        answers[index] = answer
        reader.open(-1)
    assert answers == {index: f"request {item}" for index, item in enumerate(items)}
    for worker, batches in enumerate(rollouts.given):
        assert [index for batch in batches for index in batch] == list(range(worker, len(items), num_workers))
        assert [len(batch) for batch in batches[:-1]] == [BATCH] * (len(batches) - 1)
        assert len(batches[-1]) <= BATCH
    assert reader.ahead <= (num_workers + 1) * BATCH


def test_an_image_that_cannot_be_read_ends_it() -> None:
    def fail(items: Sequence[int]) -> list[str]:
        if BATCH in items:
            raise OSError("no such image")
        return [str(item) for item in items]

    stream = stream_ahead(Rollouts(1), range(2 * BATCH), fail)  # type: ignore[arg-type]
    assert [next(stream)[0] for _ in range(BATCH)] == list(range(BATCH))
    with pytest.raises(OSError, match="no such image"):
        next(stream)


def test_nothing_to_ask() -> None:
    assert list(stream_ahead(Rollouts(2), [], Reader())) == []  # type: ignore[arg-type]
