import fcntl
import threading
from pathlib import Path

from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages import cold_start


class Watcher(SilentProgress):
    def __init__(self) -> None:
        self.told = threading.Event()

    def phase(self, name: str, total: int | None = None) -> None:
        assert (name, total) == ("cold start, which another process builds", None)
        self.told.set()


def test_who_waits_for_another_builder_says_so(tmp_path: Path) -> None:
    watcher, entered = Watcher(), threading.Event()

    def build() -> None:
        with cold_start._exclusive(tmp_path / "key", watcher):
            entered.set()

    with (tmp_path / "key.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        thread = threading.Thread(target=build, daemon=True)
        thread.start()
        assert watcher.told.wait(60)
        assert not entered.is_set()
    assert entered.wait(60)
    thread.join()


def test_who_builds_alone_waits_for_nobody(tmp_path: Path) -> None:
    watcher = Watcher()
    with cold_start._exclusive(tmp_path / "new" / "key", watcher):
        assert not watcher.told.is_set()
