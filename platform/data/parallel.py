from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREADS = 8
_AHEAD = 256


def map_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield `function(item)` in the order of the items, worked out in threads at most `_AHEAD` items ahead.

    For reading files: an iterable of any length is never held.
    """
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="images") as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
