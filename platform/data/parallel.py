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

    For reading files: an iterable of any length is never held. Where it breaks off with an error, everything before
    that is yielded first.
    """
    source, broken_by = iter(items), None
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="images") as pool:
        try:
            while broken_by is None:
                try:
                    pending.append(pool.submit(function, next(source)))
                except StopIteration:
                    break
                except Exception as error:  # noqa: BLE001  # raised below
                    broken_by = error
                if len(pending) > _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
    if broken_by is not None:
        raise broken_by
