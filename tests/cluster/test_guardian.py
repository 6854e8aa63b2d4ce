import os
import subprocess
import time
from pathlib import Path

import psutil

from emocal_rl.cluster.guardian import session_processes


def test_a_session_has_its_own_processes_and_what_they_started(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "ours-too"
    head = ["sh", "-c", "sleep 60 & wait", f"--log_dir={ours}/ray/session"]
    commands = [head, ["sleep", "60"], ["sh", "-c", "sleep 60 & wait", f"--log_dir={theirs}/ray"]]
    commands.append(["sh", "-c", "sleep 60 & wait", str(ours)])  # as the guardian names it
    started = [subprocess.Popen(command) for command in commands]
    try:
        deadline = time.monotonic() + 30
        while not psutil.Process(started[0].pid).children() and time.monotonic() < deadline:
            time.sleep(0.01)
        (child,) = psutil.Process(started[0].pid).children()
        assert [process.pid for process in session_processes(os.getpid(), ours)] == [started[0].pid, child.pid]
    finally:
        for parent in started:
            for process in psutil.Process(parent.pid).children():
                process.kill()
            parent.kill()
            parent.wait()
