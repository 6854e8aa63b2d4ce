"""One format into another, a row at a time. What the target cannot hold is refused, or dropped where that is asked."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.digest import StreamDigest
from emocal_rl.platform.data.embedded import data_uri
from emocal_rl.platform.data.formats import (
    Format,
    Part,
    check_suffix,
    extra_keys,
    lost_parts,
    missing_part,
    row_of,
)
from emocal_rl.platform.data.images import ImageLimits, load_sample_images
from emocal_rl.platform.data.jsonl import jsonl_line
from emocal_rl.platform.data.output import refuse_existing, writing
from emocal_rl.platform.data.parquet import parquet_writer
from emocal_rl.platform.data.row_count import count_rows
from emocal_rl.platform.data.rows import Row, image_root_of, read_rows, with_portable_images
from emocal_rl.platform.data.samples import Example, example_of_row, sample_of
from emocal_rl.platform.data.verl import verl_schema
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import Progress

Write = Callable[[Mapping[str, Any]], object]


class ImageStyle(StrEnum):
    """How the target refers to images. Data URIs and URLs outside the image root stay what they are."""

    RELATIVE = "relative"
    """Relative to the image root, so that the whole can be moved."""
    ABSOLUTE = "absolute"
    """By absolute path or URL."""
    EMBED = "embed"
    """The encoded files themselves: data URIs in JSONL, bytes in Parquet."""


@dataclass(frozen=True, slots=True)
class ConversionOptions:
    """How to convert: where the source's images are, how to refer to them, what may be dropped."""

    image_root: str | None = None
    images: ImageStyle = ImageStyle.RELATIVE
    drop: Collection[Part] = frozenset()
    split: str = "train"
    """What a verl row says of the split it is in."""
    overwrite: bool = False
    limits: ImageLimits = field(default_factory=ImageLimits)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was written. `root` is what the image references are relative to; `digest` is of the target's stream."""

    num_rows: int
    dropped: Mapping[Part, int]
    root: str
    digest: str


def convert(source: str, target: str, to: Format, options: ConversionOptions, progress: Progress) -> Conversion:
    """Write the rows of `source`, of any format, to `target`. The file appears only when all rows are written.

    Repeated ids are left for validation to find: memory does not grow with the file.

    Raises:
        DataError: a malformed row, by file and line; a row with something the format cannot hold and `options.drop`
            does not name; an image to embed that cannot be read; the target exists or cannot be written.
    """
    check_suffix(target, to)
    refuse_existing(target, overwrite=options.overwrite)
    root = image_root_of(source, options.image_root)
    embedded = options.images is ImageStyle.EMBED
    digest, dropped, index = StreamDigest(), Counter[Part](), 0
    progress.phase("converting", count_rows(source))
    with _row_writer(target, to, embedded=embedded) as write:
        for index, row in enumerate(read_rows(source, options.image_root), start=1):
            example = _keep(row, to, options.drop, dropped)
            if embedded:
                example = _with_sample(example, _embed(sample_of(example), options.limits))
            digest.update(example)
            if options.images is ImageStyle.RELATIVE:
                example = _with_sample(example, with_portable_images(root, sample_of(example)))
            write(row_of(to, example, index=index - 1, split=options.split, embedded=embedded))
            progress.advance()
    return Conversion(index, dropped, str(root), digest.hexdigest())


def verify_conversion(target: str, conversion: Conversion, progress: Progress) -> None:
    """Read the target back and compare its stream with what was meant to be written.

    Raises:
        DataError: they differ.
    """
    digest = StreamDigest()
    progress.phase("verifying", conversion.num_rows)
    for row in read_rows(target, conversion.root):
        digest.update(example_of_row(row))
        progress.advance()
    if digest.hexdigest() != conversion.digest:
        raise DataError(target, rule="does not read back as what was written", fix="Report this with the source file.")


def _keep(row: Row, to: Format, drop: Collection[Part], dropped: Counter[Part]) -> Example:
    """Return what the format can hold of a row, counting what is dropped of it."""
    example = example_of_row(row)
    sample = sample_of(example)
    if (reason := missing_part(to, sample)) is not None:
        raise row.error(to, None, reason, "Give the rows what is missing, or choose another format.", "format")
    extra = extra_keys(row.value)
    for part in lost_parts(to, example, extra):
        if part not in drop:
            held = f"{to} rows have no place for " + (f"the keys {extra}" if part is Part.EXTRA else f"a {part}")
            raise row.error(part, None, held, f"Add --drop {part} to write the rows without.", "format")
        dropped[part] += 1
        if part is Part.RESPONSE:
            example = sample
        elif part is Part.LOSS and not isinstance(example, Sample):
            example = replace(example, loss_spans=None, loss_on_end=True)
    return example


def _embed(sample: Sample, limits: ImageLimits) -> Sample:
    return replace(sample, images=tuple(data_uri(data) for data in load_sample_images(sample, limits)))


def _with_sample(example: Example, sample: Sample) -> Example:
    return sample if isinstance(example, Sample) else replace(example, sample=sample)


@contextmanager
def _row_writer(target: str, to: Format, *, embedded: bool) -> Iterator[Write]:
    if to is Format.VERL:
        with parquet_writer(target, verl_schema(embedded=embedded), size_of=_image_bytes) as write:
            yield write
    else:
        with writing(target) as file:
            yield lambda row: file.write(jsonl_line(row))


def _image_bytes(row: Mapping[str, Any]) -> int:
    return sum(len(data) for image in row["images"] for data in image.values())
