from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import fsspec
from fsspec.utils import infer_compression

from emocal_rl.platform.data.compression import register_zstd
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.runs.atomic import replacing

register_zstd()


@contextmanager
def writing(url: str) -> Iterator[IO[bytes]]:
    """Yield the byte stream of a new file at a path or fsspec URL, compressed as its suffix says.

    A local file takes its place, in folders made for it, only when the block ends without error. What an error leaves
    of a remote one is removed.

    Raises:
        DataError: the file cannot be written.
    """
    location = Location.parse(url)
    try:
        if location.protocol or location.chain:
            with _writing_remote(url) as file:
                yield file
        else:
            path = Path(str(location))
            path.parent.mkdir(parents=True, exist_ok=True)
            compression = infer_compression(url)
            with replacing(path) as temporary, fsspec.open(str(temporary), "wb", compression=compression) as file:
                yield file
    except (OSError, ImportError) as error:
        raise DataError(url, rule=f"cannot be written: {error}", fix="Check the path and its permissions.") from error


@contextmanager
def _writing_remote(url: str) -> Iterator[IO[bytes]]:
    opened = fsspec.open(url, "wb", compression="infer")
    try:
        with opened as file:
            yield file
    except BaseException:
        if opened.fs.exists(opened.path):
            opened.fs.rm_file(opened.path)
        raise


def refuse_existing(url: str, *, overwrite: bool) -> None:
    """Raise when something is at `url` already, unless it may be overwritten."""
    location = Location.parse(url)
    if overwrite or location.chain:
        return
    file_system, path = fsspec.url_to_fs(str(location))
    if file_system.exists(path):
        raise DataError(url, rule="exists already", fix="Choose another name, or add --overwrite.")
