"""One corpus into the three stages: 6:3:1, stratified by source, no image in two stages."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from emocal_rl.platform.data.content import hash_images
from emocal_rl.platform.data.images import ImageLimits
from emocal_rl.platform.data.jsonl import jsonl_line
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.output import refuse_existing, writing
from emocal_rl.platform.data.parallel import map_ahead
from emocal_rl.platform.data.parquet import is_parquet, parquet_writer, read_schema
from emocal_rl.platform.data.row_count import COMPRESSIONS, count_rows
from emocal_rl.platform.data.rows import Row, image_root_of, read_rows
from emocal_rl.platform.data.samples import example_of_row, sample_of
from emocal_rl.platform.data.sources import source_of
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import Progress

RATIO = (6, 3, 1)
"""Shares of stages 1, 2 and 3 (the paper's split of VEC-CoT)."""
Counts = dict[str, list[int]]
"""Source -> rows in each stage."""


@dataclass(frozen=True, slots=True)
class SplitOptions:
    """How to split: seed, where the images are, and whether they are told apart by content or by reference."""

    seed: int = 0
    image_root: str | None = None
    by_content: bool = True
    pattern: re.Pattern[str] | None = None
    overwrite: bool = False
    limits: ImageLimits = field(default_factory=ImageLimits)


@dataclass(frozen=True, slots=True)
class Split:
    """What was written: the files, rows by source and stage, and by how much shared images moved the counts."""

    files: tuple[str, ...]
    counts: Counts
    due: Counts
    num_shared_images: int
    """Images that stand in more than one row."""
    root: str


@dataclass(frozen=True, slots=True)
class RowKey:
    """What of a row decides its stage. `images` are their hashes, or their references."""

    id: str
    source: str
    images: tuple[str, ...]


def split(sources: Sequence[str], directory: str, options: SplitOptions, progress: Progress) -> Split:
    """Write the rows of `sources`, as they are and in their order, to `stage-1`, `stage-2` and `stage-3`.

    JSONL rows without an id get the one they have been read under; image references stay relative to the image root.

    Raises:
        DataError: a malformed row or repeated id, by file and line; an image that cannot be read; files of different
            kinds or folders; a target that exists or cannot be written.
    """
    root, suffix = _common_root(sources, options.image_root), _common_suffix(sources)
    files = [str(Location.parse(directory).join(f"stage-{stage}{suffix}")) for stage in (1, 2, 3)]
    for file in files:
        refuse_existing(file, overwrite=options.overwrite)
    keys = _read_keys(sources, options, progress)
    stages = assign(keys, options.seed)
    counts: Counts = {key.source: [0] * len(RATIO) for key in keys}
    for key, stage in zip(keys, stages, strict=True):
        counts[key.source][stage] += 1
    with ExitStack() as stack:
        writers = [stack.enter_context(_raw_writer(file, sources[0])) for file in files]
        progress.phase("writing", len(keys))
        for stage, row in zip(stages, _read_all(sources, options.image_root), strict=True):
            writers[stage](row.value if is_parquet(row.url) else {"id": row.id, **row.value})
            progress.advance()
    occurrences = Counter(image for key in keys for image in set(key.images))
    num_shared = sum(count > 1 for count in occurrences.values())
    return Split(tuple(files), counts, allot(Counter(key.source for key in keys)), num_shared, str(root))


def stage_sizes(num_rows: int) -> tuple[int, ...]:
    """Return the rows of each stage: 6:3:1 by floor, the rest to stage 3."""
    first, second = (num_rows * share // sum(RATIO) for share in RATIO[:2])
    return first, second, num_rows - first - second


def allot(sources: Mapping[str, int]) -> Counts:
    """Return the rows of each source that each stage is due: exact sums both ways.

    Each stage in turn is shared out among what is left of the sources, by largest remainders (ties by name).
    """
    left = dict(sorted(sources.items()))
    due: Counts = {source: [] for source in left}
    for size in stage_sizes(sum(left.values())):
        num_left = max(1, sum(left.values()))
        shares = {source: divmod(size * count, num_left) for source, count in left.items()}
        missing = size - sum(whole for whole, _ in shares.values())
        favoured = sorted(shares, key=lambda source: -shares[source][1])[:missing]
        for source, (whole, _) in shares.items():
            due[source].append(whole + (source in favoured))
            left[source] -= due[source][-1]
    return due


def assign(rows: Sequence[RowKey], seed: int) -> list[int]:
    """Return the stage (0, 1, 2) of each row: rows that share an image get one stage, whatever their sources.

    Groups of rows go first, the largest first, each to the stage that lacks most of what it is due; single rows then
    fill each stage up to its exact counts. The order within a size is that of a hash of seed and id, so it does not
    depend on the order of the file.
    """
    groups = _groups(rows)
    groups.sort(key=lambda group: (-len(group), min(_shuffle_key(rows[index].id, seed) for index in group)))
    due = allot(Counter(row.source for row in rows))
    open_ = {source: list(counts) for source, counts in due.items()}
    stages = [0] * len(rows)
    for group in groups:
        needs = Counter(rows[index].source for index in group)
        stage = _best_stage(needs, open_, due)
        for index in group:
            stages[index] = stage
            open_[rows[index].source][stage] -= 1
    return stages


def _best_stage(needs: Mapping[str, int], open_: Counts, due: Counts) -> int:
    """Return the stage with room for a group: room by source, else in all, else the one with most room."""

    def lacking(stage: int) -> float:
        return sum(open_[source][stage] for source in needs) / max(1, sum(due[source][stage] for source in needs))

    totals = [sum(counts[stage] for counts in open_.values()) for stage in range(len(RATIO))]
    size = sum(needs.values())
    has_room = [stage for stage in range(len(RATIO)) if totals[stage] >= size]
    fits = [
        [stage for stage in has_room if all(open_[source][stage] >= need for source, need in needs.items())],
        has_room,
    ]
    for stages in fits:
        if stages:
            return max(stages, key=lacking)
    return max(range(len(RATIO)), key=lambda stage: totals[stage])


def _groups(rows: Sequence[RowKey]) -> list[list[int]]:
    """Return the rows' indices, those together that share an image, directly or through other rows."""
    parents = list(range(len(rows)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    first: dict[str, int] = {}
    for index, row in enumerate(rows):
        for image in row.images:
            parents[root(index)] = root(first.setdefault(image, index))
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(len(rows)):
        groups[root(index)].append(index)
    return list(groups.values())


def _shuffle_key(row_id: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{row_id}".encode()).digest()


def _read_all(urls: Sequence[str], image_root: str | None) -> Iterator[Row]:
    for url in urls:
        yield from read_rows(url, image_root)


def _read_keys(urls: Sequence[str], options: SplitOptions, progress: Progress) -> list[RowKey]:
    counts = [count_rows(url) for url in urls]
    total = None if None in counts else sum(filter(None, counts))
    progress.phase("hashing images" if options.by_content else "reading", total)
    seen: dict[str, str] = {}
    keys = []
    for row, key in map_ahead(lambda row: (row, _key_of(row, options)), _read_all(urls, options.image_root)):
        place = f"{row.url}:{row.line}"
        if (first := seen.setdefault(key.id, place)) != place:
            raise row.error("id", key.id, f"must be unique; {first} has it too", "Rename or drop one of them.", "id")
        keys.append(key)
        progress.advance()
    return keys


def _key_of(row: Row, options: SplitOptions) -> RowKey:
    sample = sample_of(example_of_row(row))
    images = hash_images(sample, options.limits) if options.by_content else sample.images
    return RowKey(sample.id, source_of(sample, options.pattern), images)


def _common_root(urls: Sequence[str], image_root: str | None) -> Location:
    roots = {image_root_of(url, image_root) for url in urls}
    if len(roots) > 1:
        rule = "files of several folders have no common image root"
        raise DataError("--image-root", rule=rule, fix="Give the folder that all image references are relative to.")
    return roots.pop()


def _common_suffix(urls: Sequence[str]) -> str:
    suffixes = {_suffix_of(url) for url in urls}
    if len(suffixes) > 1:
        rule = f"must be files of one kind, not {', '.join(sorted(suffixes))}"
        raise DataError("FILE", rule=rule, fix="Convert them to one format first.")
    return suffixes.pop()


def _suffix_of(url: str) -> str:
    """Return a file name's suffix, with the one before it when the last is a compression."""
    path = PurePosixPath(Location.parse(url).path)
    return "".join(path.suffixes[-2:] if path.suffix in COMPRESSIONS else path.suffixes[-1:])


@contextmanager
def _raw_writer(target: str, like: str) -> Iterator[Callable[[Mapping[str, Any]], object]]:
    """Open a file for rows as `like` has them."""
    if is_parquet(target):
        with parquet_writer(target, read_schema(like)) as write:
            yield write
    else:
        with writing(target) as file:
            yield lambda row: file.write(jsonl_line(row))
