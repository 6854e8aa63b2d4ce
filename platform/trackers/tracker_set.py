import queue
import threading
import time
from collections.abc import Callable, Mapping

from emocal_rl.platform.trackers.tracker import Row, Tracker, split_row

QUEUE_ROWS = 1000
"""Rows a slow tracker may lag behind before it is given up."""

Opener = Callable[[], Tracker]


class TrackerSet:
    """All trackers of a run. None of them can stop or stall it.

    Each tracker is opened, fed and closed in a daemon thread of its own, behind a bounded queue. The first error, or a
    full queue, ends that tracker with one warning; the others go on.
    """

    def __init__(self, openers: Mapping[str, Opener], warn: Callable[[str], None]) -> None:
        self._feeds = [_Feed(name, opener, warn) for name, opener in openers.items()]

    def log(self, row: Row) -> None:
        """Hand a journal row (as `Journal.append` returned it) to every tracker; returns at once."""
        entry = split_row(row)
        if entry is not None:
            for feed in self._feeds:
                feed.put(entry)

    def close(self, timeout_s: float = 30.0) -> None:
        """Let every tracker finish, for at most `timeout_s` in all; one that has not is left behind."""
        deadline = time.monotonic() + timeout_s
        for feed in self._feeds:
            feed.end()
        for feed in self._feeds:
            feed.join(max(0.0, deadline - time.monotonic()))


Entry = tuple[str, dict[str, float], int]


class _Feed:
    """One tracker's thread and queue; None on the queue ends it."""

    def __init__(self, name: str, opener: Opener, warn: Callable[[str], None]) -> None:
        self._name, self._warn = name, warn
        self._entries: queue.Queue[Entry | None] = queue.Queue(QUEUE_ROWS)
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(opener,), name=f"tracker-{name}", daemon=True)
        self._thread.start()

    def put(self, entry: Entry | None) -> None:
        if self._given_up.is_set():
            return
        try:
            self._entries.put_nowait(entry)
        except queue.Full:
            self._give_up(f"is {QUEUE_ROWS} rows behind")

    def end(self) -> None:
        self.put(None)

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._give_up("did not finish in time")

    def _work(self, opener: Opener) -> None:
        try:
            tracker = opener()
            while (entry := self._entries.get()) is not None and not self._given_up.is_set():
                tracker.log(*entry)
            tracker.close()
        except Exception as error:  # noqa: BLE001  (monitoring: whatever a tracker raises must not reach the run)
            self._give_up(f"failed: {type(error).__name__}: {error}")

    def _give_up(self, reason: str) -> None:
        if not self._given_up.is_set():
            self._given_up.set()
            self._warn(f"tracker {self._name} {reason}; the run goes on without it (metrics.jsonl has everything)")
