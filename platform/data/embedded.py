"""Images that stand in the rows themselves: as data URIs, as their bytes, and unpacked into files."""

import base64
import binascii
import hashlib
import os
from dataclasses import replace
from pathlib import Path

from emocal_rl.platform.cache import cache_directory
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.errors import DataError

_TYPES = {
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF8": "gif",
    b"BM": "bmp",
    b"RIFF": "webp",
    b"II*\x00": "tiff",
    b"MM\x00*": "tiff",
}


def data_uri(data: bytes) -> str:
    """Return an encoded image as a data URI, its type by its first bytes."""
    return f"data:image/{_type_of(data)};base64,{base64.b64encode(data).decode()}"


def with_unpacked_images(sample: Sample) -> Sample:
    """Return a sample whose data URIs have become paths of files in the cache, named by their content.

    Whoever holds many samples, or writes their references down again and again, holds and writes no images that way. A
    data URI that cannot be read stays, for the check of images to say so.

    Raises:
        DataError: a file cannot be written.
    """
    if not any(image.startswith("data:") for image in sample.images):
        return sample
    return replace(sample, images=tuple(_unpacked(image) for image in sample.images))


def with_packed_images(sample: Sample) -> Sample:
    """Return a sample with its unpacked images as data URIs again: a dataset should not refer to somebody's cache."""
    folder = f"{_folder()}/"
    if not any(image.startswith(folder) for image in sample.images):
        return sample
    packed = (data_uri(Path(image).read_bytes()) if image.startswith(folder) else image for image in sample.images)
    return replace(sample, images=tuple(packed))


def _unpacked(image: str) -> str:
    header, _, payload = image.partition(",")
    if not (header.startswith("data:") and header.endswith(";base64")):
        return image
    try:
        data = base64.b64decode(payload, validate=True)
    except binascii.Error:
        return image
    digest = hashlib.sha256(data).hexdigest()
    path = _folder() / digest[:2] / f"{digest}.{_type_of(data)}"
    try:
        if not path.is_file() or path.stat().st_size != len(data):
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f".{path.name}.{os.getpid()}")
            unfinished.write_bytes(data)
            unfinished.replace(path)
    except OSError as error:
        fix = "Make room, or let XDG_CACHE_HOME name a folder that has it."
        raise DataError(str(path), rule=f"cannot be written: {error.strerror}", fix=fix) from error
    return str(path)


def _folder() -> Path:
    return cache_directory() / "images"


def _type_of(data: bytes) -> str:
    return next((name for magic, name in _TYPES.items() if data.startswith(magic)), "png")
