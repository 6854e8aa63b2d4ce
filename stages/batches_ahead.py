from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

from emocal_rl.actors.rollout.pool import Batch, Refused, RolloutPool
from emocal_rl.platform.contracts import RolloutRequest

Item = TypeVar("Item")

BATCH = 256
"""Requests of one worker at a time. The images of as many more are read ahead."""


def stream_ahead(
    rollouts: RolloutPool,
    items: Sequence[Item],
    requests_of: Callable[[Sequence[Item]], Sequence[RolloutRequest]],
    refused: Refused | None = None,
) -> Iterator[tuple[int, Any]]:
    """Sample any number of items; yield (index of the item, object ref of its `RolloutGroup`) as groups finish.

    Workers go on without waiting for each other or for images. Which worker is asked what depends on nothing but the
    number of workers.

    Args:
        rollouts: the workers.
        items: what is asked.
        requests_of: makes requests, reading their images; called in threads.
        refused: called for an item that cannot be sampled; None raises.
    """
    num_workers = len(rollouts.workers)
    shares = [range(start, len(items), num_workers) for start in range(num_workers)]

    def read(indices: Sequence[int]) -> Batch:
        return dict(zip(indices, requests_of([items[index] for index in indices]), strict=True))

    with ThreadPoolExecutor(num_workers, thread_name_prefix="images") as readers:
        yield from rollouts.stream_batches([_read_ahead(readers, read, share) for share in shares], refused)


def _read_ahead(readers: Executor, read: Callable[[Sequence[int]], Batch], share: Sequence[int]) -> Iterator[Batch]:
    """Begin to read the first batch at once, and each further one while the batch before it is worked on."""
    parts = [share[start : start + BATCH] for start in range(0, len(share), BATCH)]
    reading = [readers.submit(read, part) for part in parts[:1]]

    def batches() -> Iterator[Batch]:
        for following in parts[1:]:
            batch = reading.pop().result()
            reading.append(readers.submit(read, following))
            yield batch
        for last in reading:
            yield last.result()

    return batches()
