"""Images by their content: the SHA-256 of the encoded file."""

import hashlib
from collections.abc import Iterable

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.images import ImageLimits, load_sample_images
from emocal_rl.platform.data.parallel import map_ahead
from emocal_rl.platform.data.row_count import count_rows
from emocal_rl.platform.data.samples import read_examples, sample_of
from emocal_rl.platform.progress import Progress


def content_hash(data: bytes) -> str:
    """Return what identical files share."""
    return hashlib.sha256(data).hexdigest()


def hash_images(sample: Sample, limits: ImageLimits) -> tuple[str, ...]:
    """Return the hash of each of a sample's images.

    Raises:
        DataError: an image cannot be read, naming the row.
    """
    return tuple(content_hash(data) for data in load_sample_images(sample, limits))


def hash_files(urls: Iterable[str], image_root: str | None, limits: ImageLimits, progress: Progress) -> dict[str, str]:
    """Return hash -> `file:line` of every image of dataset files.

    Raises:
        DataError: a malformed row, or an image that cannot be read.
    """
    places: dict[str, str] = {}
    for url in urls:
        progress.phase(f"hashing {url}", count_rows(url))
        samples = map(sample_of, read_examples(url, image_root))
        hashed = map_ahead(lambda sample: (sample.line, hash_images(sample, limits)), samples)
        for line, hashes in hashed:
            for digest in hashes:
                places.setdefault(digest, f"{url}:{line}")
            progress.advance()
    return places
