import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

_PROGRAM = """
import atexit
from pathlib import Path
from emocal_rl.cli.main import main

def tell_peak():
    print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

atexit.register(tell_peak)
main()
"""
"""The command line, which says at its end how many KiB it held at once (what `wait4` says is at least the parent's)."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a command took: time on the clock, time on a core, most memory held at once; and what it printed."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    output: str


def measure(*arguments: str) -> Measurement:
    """Run `emocal-rl ARGUMENTS` in a process of its own (Linux).

    Raises:
        subprocess.CalledProcessError: it failed; what it printed is in `output`.
    """
    command = [sys.executable, "-c", _PROGRAM, *arguments]
    with tempfile.TemporaryFile() as printed:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        *lines, peak_kib = printed.read().decode().splitlines()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, "\n".join(lines))
    return Measurement(wall_s, usage.ru_utime + usage.ru_stime, int(peak_kib) / 1024, "\n".join(lines))
