import fcntl
import os
import socket
import time
from pathlib import Path
from typing import IO

from emocal_rl.platform.errors import RunError


class RunLock:
    """Exclusive use of a run directory, by `flock` on its `lock` file.

    The kernel drops the lock with its process, so a file left by a dead run holds nothing; its text (process, host,
    time) only tells the next one who is there.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "lock"
        self._stream: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            RunError: another process holds it.
        """
        stream = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "another process"
            stream.close()
            fix = "Wait for it to end, or stop it."
            raise RunError(str(self.path.parent), rule=f"is in use by {holder}", fix=fix) from None
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
        stream.flush()
        self._stream = stream

    def release(self) -> None:
        """Give the lock back; the file stays."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def is_held(self) -> bool:
        """Whether any live process, this one included, holds the lock."""
        if self._stream is not None:
            return True
        if not self.path.exists():
            return False
        with self.path.open("r", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False
