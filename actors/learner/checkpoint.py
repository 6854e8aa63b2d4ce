"""Checkpoints that are complete or absent: written beside their place, hashed, renamed; verified before loading."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emocal_rl.platform.errors import RunError

MANIFEST = "manifest.json"


@contextmanager
def atomic_directory(directory: Path) -> Iterator[Path]:
    """Yield a hidden directory beside `directory` to fill; it takes its place when the block ends without an error."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    unfinished = staging_path(directory)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    yield unfinished
    if directory.exists():
        shutil.rmtree(directory)
    unfinished.rename(directory)
    _sync_to_disk(directory.parent)


def staging_path(directory: Path) -> Path:
    """Where `atomic_directory` collects the files of `directory`."""
    return directory.with_name(f".{directory.name}.unfinished")


def write_manifest(directory: Path, facts: dict[str, Any]) -> None:
    """Record size and SHA-256 of every file below `directory`, with `facts` of the caller, and sync all to disk."""
    files = {
        str(path.relative_to(directory)): {"bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    (directory / MANIFEST).write_text(json.dumps({**facts, "files": files}, indent=1))
    for path in [*directory.rglob("*"), directory]:  # a folder's entries are on disk only when it is synced itself
        _sync_to_disk(path)


def read_manifest(directory: Path) -> dict[str, Any]:
    """Return the manifest of a verified checkpoint."""
    manifest: dict[str, Any] = json.loads((directory / MANIFEST).read_text())
    return manifest


def verify_checkpoint(directory: str | Path) -> list[str]:
    """Compare a checkpoint or an export with its manifest; return what is wrong, nothing when it is complete."""
    directory = Path(directory)
    try:
        files = read_manifest(directory)["files"]
    except FileNotFoundError:
        return [f"{directory} has no {MANIFEST}"]
    except (json.JSONDecodeError, KeyError, UnicodeDecodeError):
        return [f"{directory / MANIFEST} is damaged"]
    problems = []
    for name, expected in files.items():
        path = directory / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif path.stat().st_size != expected["bytes"]:
            problems.append(f"{name} has {path.stat().st_size} bytes instead of {expected['bytes']}")
        elif _sha256(path) != expected["sha256"]:
            problems.append(f"{name} was changed after it was written")
    return problems


def require_complete(directory: Path) -> None:
    """Raise unless a checkpoint verifies.

    Raises:
        RunError: listing what is wrong.
    """
    if problems := verify_checkpoint(directory):
        raise RunError(
            "checkpoint",
            str(directory),
            rule="is incomplete: " + "; ".join(problems[:5]),
            fix="Resume from an earlier checkpoint.",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
