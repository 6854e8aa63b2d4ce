"""What a corpus is made of: rows by stage and source (Table 1 of the paper), labels, lengths, pixels."""

import io
import re
import statistics
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.digest import StreamDigest
from emocal_rl.platform.data.images import ImageLimits, load_image_bytes
from emocal_rl.platform.data.lengths import CountLengths
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.parallel import map_ahead
from emocal_rl.platform.data.row_count import count_rows
from emocal_rl.platform.data.samples import Example, read_examples, sample_of
from emocal_rl.platform.data.sources import source_of
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import Progress

_BATCH = 512


@dataclass(slots=True)
class StageStatistics:
    """One file, which is one stage."""

    name: str
    """The file's name without suffix."""
    sources: Counter[str] = field(default_factory=Counter)
    """Source -> rows."""
    labels: dict[str, Counter[str]] = field(default_factory=dict)
    """Source -> label -> rows."""
    question_lengths: "array[int]" = field(default_factory=lambda: array("l"))
    response_lengths: "array[int]" = field(default_factory=lambda: array("l"))
    """One for each row that has a response."""
    pixels: "array[int]" = field(default_factory=lambda: array("l"))
    """Width times height of each image that could be read."""
    num_images: int = 0
    digest: str = ""
    """SHA-256 of the stream of samples: equal for the same data in another format."""

    @property
    def num_rows(self) -> int:
        """Rows of all sources."""
        return self.sources.total()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values; the distributions as `summarize` has them."""
        return {
            "name": self.name,
            "num_rows": self.num_rows,
            "sources": dict(self.sources),
            "labels": {source: dict(counts.most_common()) for source, counts in self.labels.items()},
            "question_length": summarize(self.question_lengths),
            "response_length": summarize(self.response_lengths),
            "pixels": summarize(self.pixels),
            "num_images": self.num_images,
            "digest": self.digest,
        }


def summarize(values: Sequence[int]) -> dict[str, float | int] | None:
    """Return count, minimum, 5th percentile, median, mean, 95th percentile and maximum; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    low, high = (ordered[round(share * (len(ordered) - 1))] for share in (0.05, 0.95))
    return {
        "count": len(ordered),
        "min": ordered[0],
        "p5": low,
        "median": statistics.median(ordered),
        "mean": statistics.fmean(ordered),
        "p95": high,
        "max": ordered[-1],
    }


def measure_stage(
    url: str,
    progress: Progress,
    count_lengths: CountLengths,
    *,
    image_root: str | None = None,
    pattern: re.Pattern[str] | None = None,
    limits: ImageLimits | None = None,
) -> StageStatistics:
    """Measure one file.

    Args:
        url: path or fsspec URL, of any format.
        progress: who is told.
        count_lengths: the unit of the lengths, `count_words` or a `token_counter`.
        image_root: folder of the images; None is the file's own.
        pattern: as in `source_of`.
        limits: of the images; None leaves them unopened.

    Raises:
        DataError: a malformed row, by file and line. An image that cannot be read is only not counted in `pixels`.
    """
    stage, digest = StageStatistics(Location.parse(url).stem), StreamDigest()
    progress.phase(f"measuring {url}", count_rows(url))
    batch: list[Example] = []

    def measure(example: Example) -> tuple[Example, list[int]]:
        return example, [] if limits is None else _pixels(sample_of(example), limits)

    for example, pixels in map_ahead(measure, read_examples(url, image_root)):
        sample = sample_of(example)
        source = source_of(sample, pattern)
        stage.sources[source] += 1
        stage.labels.setdefault(source, Counter())[sample.label] += 1
        stage.num_images += len(sample.images)
        stage.pixels.extend(pixels)
        digest.update(example)
        batch.append(example)
        if len(batch) == _BATCH:
            _add_lengths(stage, batch, count_lengths)
            batch.clear()
        progress.advance()
    _add_lengths(stage, batch, count_lengths)
    stage.digest = digest.hexdigest()
    return stage


def _add_lengths(stage: StageStatistics, batch: Sequence[Example], count_lengths: CountLengths) -> None:
    stage.question_lengths.extend(count_lengths([sample_of(example).question for example in batch]))
    responses = [example.response for example in batch if not isinstance(example, Sample)]
    stage.response_lengths.extend(count_lengths(responses))


def _pixels(sample: Sample, limits: ImageLimits) -> list[int]:
    pixels = []
    for reference in sample.images:
        try:
            data = load_image_bytes(reference, limits)
        except DataError:
            continue
        with Image.open(io.BytesIO(data)) as image:
            pixels.append(image.width * image.height)
    return pixels
