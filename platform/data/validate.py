"""Every problem of a dataset file, not only the first, in the order of its lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from emocal_rl.platform.data.content import content_hash
from emocal_rl.platform.data.images import ImageLimits, decode_image, load_image_bytes
from emocal_rl.platform.data.jsonl import parse_line, read_lines
from emocal_rl.platform.data.parallel import map_ahead
from emocal_rl.platform.data.parquet import is_parquet, read_parquet
from emocal_rl.platform.data.row_count import count_rows
from emocal_rl.platform.data.rows import Row, image_root_of, refuse_repeated_id
from emocal_rl.platform.data.samples import example_of_row, sample_of
from emocal_rl.platform.errors import DataError, RowError
from emocal_rl.platform.progress import Progress


class ImageCheck(StrEnum):
    """How closely images are looked at."""

    OFF = "off"
    HEADER = "header"
    """There, of an accepted format, within the limits."""
    DECODE = "decode"
    """Also complete."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, the short name of the broken rule, and the message. Line 0 is the whole file."""

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        """Return one line, whatever the file holds."""
        text = f"{self.file}:{self.line}: [{self.rule}] {self.message}"
        return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


@dataclass(frozen=True, slots=True)
class ValidationOptions:
    """Where the images are, how they are checked, and the test images (hash -> place) that must not occur."""

    image_root: str | None = None
    images: ImageCheck = ImageCheck.DECODE
    limits: ImageLimits = field(default_factory=ImageLimits)
    test_images: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _LenientRow(Row):
    """A row that goes on after a wrong id, label or image reference, so that each is found whatever else is wrong."""

    problems: list[RowError] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Empty where it is wrong; the id itself is checked once, apart."""
        try:
            return Row.id.__get__(self)  # type: ignore[no-any-return]
        except RowError:
            return ""

    def check_label(self, key: str, label: str, task: str, candidates: tuple[str, ...]) -> None:
        """Note the problem instead of raising it."""
        try:
            Row.check_label(self, key, label, task, candidates)
        except RowError as error:
            self.problems.append(error)

    def image(self, key: str, reference: str) -> str:
        """Note the problem instead of raising it; the reference is then empty."""
        try:
            return Row.image(self, key, reference)
        except RowError as error:
            self.problems.append(error)
            return ""


@dataclass(frozen=True, slots=True)
class _CheckedRow:
    line: int
    errors: list[RowError]
    images: tuple[str, ...] = ()


def validate(url: str, options: ValidationOptions, progress: Progress) -> Iterator[Problem]:
    """Yield every problem of one file. Images are checked in threads, a little ahead.

    A wrong id, a wrong label and a bad image of one row are three problems; a row that cannot be read as one of the
    formats is one. `unreadable` is a file that cannot be read, or not to its end.
    """
    line = 0
    try:
        progress.phase(f"validating {url}", count_rows(url))
        rows = _read_rows(url, options.image_root)
        for checked, problems in map_ahead(lambda row: (row, _check_row(url, row, options)), rows):
            line = checked.line
            yield from problems
            progress.advance()
    except DataError as error:
        yield Problem(url, line, "unreadable", str(error))
    else:
        if line == 0:
            yield Problem(url, 0, "empty", "The file holds no rows.")


def _read_rows(url: str, image_root: str | None) -> Iterator[_CheckedRow]:
    """Read every row as far as it can be read, with what is wrong with it."""
    root = image_root_of(url, image_root)
    seen: dict[str, int] = {}
    if is_parquet(url):
        for line, value in read_parquet(url):
            yield _read_row(_LenientRow(url, line, value, root), seen)
        return
    for line, data in read_lines(url):
        if not data.strip():
            continue
        try:
            row = _LenientRow(url, line, parse_line(url, line, data), root)
        except RowError as error:
            yield _CheckedRow(line, [error])
        else:
            yield _read_row(row, seen)


def _read_row(row: _LenientRow, seen: dict[str, int]) -> _CheckedRow:
    try:
        refuse_repeated_id(seen, Row(row.url, row.line, row.value, row.root))
    except RowError as error:
        row.problems.append(error)
    images: tuple[str, ...] = ()
    try:
        images = sample_of(example_of_row(row)).images
    except RowError as error:
        row.problems.append(error)
    return _CheckedRow(row.line, row.problems, tuple(filter(None, images)))


def _check_row(url: str, row: _CheckedRow, options: ValidationOptions) -> list[Problem]:
    """Return the row's problems, those of its images with them."""
    problems = [
        Problem(url, row.line, error.check, str(error).removeprefix(f"{url}:{row.line}").lstrip(" :="))
        for error in row.errors
    ]
    for reference in row.images if options.images is not ImageCheck.OFF or options.test_images else ():
        try:
            data = load_image_bytes(reference, options.limits)
            if options.images is ImageCheck.DECODE:
                decode_image(data, options.limits)
        except DataError as error:
            message = str(DataError(_shown(reference), rule=error.rule, fix=error.fix))
            problems.append(Problem(url, row.line, "image", message))
        else:
            if (place := options.test_images.get(content_hash(data))) is not None:
                message = f"{_shown(reference)} is the test image of {place}, byte for byte. Drop the row."
                problems.append(Problem(url, row.line, "leak", message))
    return problems


def _shown(reference: str) -> str:
    return reference if len(reference) <= 200 else f"{reference[:60]}... ({len(reference)} characters)"
