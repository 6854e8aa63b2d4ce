from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import IO

import fsspec
from fsspec.spec import AbstractFileSystem

from emocal_rl.platform.data.location import Location

_ARCHIVES = frozenset({"zip", "tar"})
_opening = Lock()


@contextmanager
def open_file(location: Location) -> Iterator[IO[bytes]]:
    """Open a file to read, its errors being those of its file system.

    An archive stays open between calls and its directory is read once, not once a member; it has one reader at a time,
    and one that is replaced on this machine is opened anew.
    """
    if location.protocol not in _ARCHIVES or not location.chain:
        with fsspec.open(str(location), "rb") as file:
            yield file
        return
    place = Path(location.chain)
    changed = place.stat().st_mtime_ns if place.is_file() else 0
    with _opening:
        archive, reading = _opened(location.protocol, location.chain, changed)
    with reading, archive.open(location.path.lstrip("/"), "rb") as file:
        yield file


@lru_cache(maxsize=8)
def _opened(protocol: str, chain: str, changed: int) -> tuple[AbstractFileSystem, Lock]:  # noqa: ARG001  # part of the key
    archive, _ = fsspec.url_to_fs(f"{protocol}://::{chain}")
    return archive, Lock()
