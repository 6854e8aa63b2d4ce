"""A small process that outlives a killed driver just long enough to end what the driver had started.

The kernel ends the head processes of an own Ray cluster together with the driver, but agents and workers notice only
seconds later, and a child that started a session of its own never does. Run as
`python -m emocal_rl.cluster.guardian DRIVER_PID DIRECTORY` with a pipe as standard input.
"""

import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

_DONE = b"done\n"
_INTERVAL_S = 1.0
_GRACE_S = 2.0


class Guardian:
    """The driver's handle: started with the session, dismissed on an orderly exit."""

    def __init__(self, directory: Path) -> None:
        command = [sys.executable, "-m", "emocal_rl.cluster.guardian", str(os.getpid()), str(directory)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def dismiss(self) -> None:
        """Tell the guardian that the session ended by itself, and wait for it to leave."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(_DONE)
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        self._process.wait(timeout=30)


def session_processes(driver_pid: int, directory: Path) -> list[psutil.Process]:
    """Processes of the own Ray cluster that lives in `directory`, whatever else the driver has started meanwhile.

    Ray's head processes are children of the driver and have paths in the directory in their command lines; everything
    below them is theirs. A worker's own command line only says what it works on.

    Raises:
        NoSuchProcess: the driver is gone.
    """
    found: list[psutil.Process] = []
    for child in psutil.Process(driver_pid).children():
        try:
            if any(f"{directory}/" in argument for argument in child.cmdline()):
                found += [child, *child.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    return found


def end_processes(processes: list[psutil.Process], grace_s: float) -> None:
    """Wait `grace_s` for the processes to leave, then terminate, then kill those that stay."""
    alive = psutil.wait_procs(processes, timeout=grace_s)[1]
    for stop in (psutil.Process.terminate, psutil.Process.kill):
        for process in alive:
            try:
                stop(process)
            except psutil.NoSuchProcess:
                continue
        alive = psutil.wait_procs(alive, timeout=grace_s)[1]


def watch(driver_pid: int, directory: Path) -> None:
    """Remember the session's processes until the driver's pipe closes; without a goodbye, end those that are left."""
    remembered: list[psutil.Process] = []
    said = b""
    while True:
        readable, _, _ = select.select([0], [], [], _INTERVAL_S)
        if readable:
            chunk = os.read(0, 64)
            said += chunk
            if not chunk:
                break
        try:
            found = session_processes(driver_pid, directory)
        except psutil.NoSuchProcess:
            continue
        known = {process.pid for process in found}
        # A grandchild whose parent died belongs to nobody we can ask: keep it from the earlier look.
        remembered = found + [old for old in remembered if old.pid not in known and old.is_running()]
    if said != _DONE:
        end_processes(remembered, _GRACE_S)
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    watch(int(sys.argv[1]), Path(sys.argv[2]))
