"""One row of a dataset file, read with errors that name file, line, key, rule and way out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.jsonl import read_jsonl
from emocal_rl.platform.data.location import Location, is_url
from emocal_rl.platform.data.parquet import is_parquet, read_parquet
from emocal_rl.platform.emotions.taxonomy import normalize_label, taxonomy_of_question
from emocal_rl.platform.errors import DataError, RowError


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON object and where it stands.

    `root` is the folder that image references are relative to and may not leave; None leaves references unchecked
    (relative ones are then relative to the file's own folder).
    """

    url: str
    line: int
    value: Mapping[str, Any]
    root: Location | None

    @property
    def id(self) -> str:
        """The row's own `id` (a verl row keeps it in `extra_info`), else `file-stem:line`."""
        own = self.value.get("id")
        if own is None and isinstance(extra := self.value.get("extra_info"), Mapping):
            own = extra.get("id")
        if own is None:
            return f"{Location.parse(self.url).stem}:{self.line}"
        if not isinstance(own, str | int) or isinstance(own, bool) or own == "":
            rule = "must be a non-empty string or a number"
            raise self.error("id", own, rule, "Correct it, or remove the key.", "id")
        return str(own)

    def error(self, key: str, value: object, rule: str, fix: str, check: str = "field") -> RowError:
        """Return the error to raise about one key of this row; `check` is the short name of what was checked."""
        return RowError(f"{self.url}:{self.line} {key}", value, rule=rule, fix=fix, line=self.line, check=check)

    def text(self, key: str) -> str:
        """Return the non-empty string under `key`; a dotted key reaches into an object."""
        value = self._at(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, value, "must be a non-empty string", f"Give the row its {key}.")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of strings under `key`, as in `text`; an absent key, or null, is an empty list."""
        value = [] if self._at(key) is None else self._at(key)
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.error(key, value, "must be a list of non-empty strings", "Correct the list.")
        return tuple(value)

    def _at(self, key: str) -> Any:
        value: Any = self.value
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def image(self, key: str, reference: str) -> str:
        """Return an image reference resolved against `root`: an absolute path, a URL, or the data URI it is."""
        if reference.startswith("data:"):
            return reference
        if "::" in reference and not is_url(reference):
            raise self.error(key, reference, "a path may not contain '::'", "Rename the file.", "image")
        if is_url(reference) or reference.startswith("/"):
            location = Location.parse(reference)
        else:
            location = (self.root or Location.parse(self.url).parent).join(reference)
        if self.root is not None and not location.is_remote and not self.root.contains(location):
            fix = "Set data.image_root to a folder that holds all images of the file."
            raise self.error(key, reference, f"must lie in the image root {self.root}", fix, "image")
        return str(location)

    def check_label(self, key: str, label: str, task: str, candidates: tuple[str, ...]) -> None:
        """Refuse repeated candidates, and a label that is none of them (or, without candidates, not of the task)."""
        if _are_repeated(candidates):
            rule = "must differ from each other"
            raise self.error("candidates", candidates, rule, "Remove the repeated ones.", "candidates")
        if not candidates and not task:
            return
        try:
            taxonomy = taxonomy_of_question(task, candidates)
        except DataError as error:
            raise self.error("task", task, error.rule, error.fix, "task") from error
        if taxonomy.resolve(label) is None:
            rule = f"must be one of {', '.join(candidates or taxonomy.labels)}"
            raise self.error(key, label, rule, "Correct the label, or drop the row.", "label")


def read_rows(url: str, image_root: str | None) -> Iterator[Row]:
    """Yield the rows of a JSONL or, by its suffix, a Parquet file. Images outside the image root are refused.

    Args:
        url: path or fsspec URL.
        image_root: folder of the images; None is the file's own folder.

    Raises:
        DataError: the file cannot be read or has no rows.
    """
    return _rows(url, image_root_of(url, image_root), nan_is_null=False)


def read_prediction_rows(url: str) -> Iterator[Row]:
    """Yield the rows of a file of predictions, as `read_rows` does. Images may lie anywhere, and NaN is null."""
    return _rows(url, None, nan_is_null=True)


def _rows(url: str, root: Location | None, *, nan_is_null: bool) -> Iterator[Row]:
    line = 0
    found = read_parquet(url) if is_parquet(url) else read_jsonl(url, nan_is_null=nan_is_null)
    for line, value in found:  # `line` tells an empty file below
        yield Row(url, line, value, root)
    if line == 0:
        raise DataError(url, rule="holds no rows", fix="Check that the file was written completely.")


@lru_cache(maxsize=1024)
def _are_repeated(candidates: tuple[str, ...]) -> bool:
    return len({normalize_label(candidate) for candidate in candidates}) != len(candidates)


def image_root_of(url: str, image_root: str | None) -> Location:
    """Return the folder of a file's images: as given, else the file's own folder."""
    return Location.parse(image_root) if image_root else Location.parse(url).parent


def refuse_repeated_id(seen: dict[str, int], row: Row) -> None:
    """Record a row's id in `seen` (id to line); raise when an earlier line has it."""
    if (first := seen.setdefault(row.id, row.line)) != row.line:
        rule = f"must be unique; line {first} has it too"
        raise row.error("id", row.id, rule, "Rename or drop one of the rows.", "id")


def portable_reference(folder: Location, reference: str) -> str:
    """Return an image reference relative to `folder` where the image lies below it; any other is kept."""
    if reference.startswith("data:") or not folder.contains(location := Location.parse(reference)):
        return reference
    return folder.relative(location)


def with_portable_images(folder: Location, sample: Sample) -> Sample:
    """Return a sample with the references that a file should hold whose images are relative to `folder`."""
    return replace(sample, images=tuple(portable_reference(folder, image) for image in sample.images))
