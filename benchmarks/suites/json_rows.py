"""Rows of a published benchmark: a JSON file that is one list of objects. Errors name file, row and key."""

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emocal_rl.platform.data.jsonl import read_lines
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.rows import Row, read_rows
from emocal_rl.platform.errors import DataError, UserError

_MAX_LITERAL = 10_000
"""Characters of a Python literal: the longest published one has some hundred."""
_MAX_ENTRIES = 26


def read_json_rows(files: Sequence[str], bench: str, image_root: str | None) -> Iterator[Row]:
    """Yield the rows of files that are each a JSON list of objects, or JSONL; rows count from 1.

    Args:
        files: paths or fsspec URLs.
        bench: the suite's name, for the message when there is no file.
        image_root: folder that image names are relative to; None is `images` beside the file.

    Raises:
        UserError: no file is given, or one cannot be read or is neither.
    """
    if not files:
        fix = "Add --data FILE (eemo, mvei: `emocal-rl synthvec suite BENCH --out DIR` makes up a small one)."
        raise UserError("--data", rule=f"must name the files of {bench}", fix=fix)
    for url in files:
        location = Location.parse(url)
        root = Location.parse(image_root) if image_root else location.parent.join("images")
        if not url.lower().endswith((".json", ".json.gz", ".json.zst")):
            yield from read_rows(url, str(root))
            continue
        for number, value in enumerate(_read_list(url), start=1):
            row = Row(url, number, value if isinstance(value, dict) else {}, root)
            if not isinstance(value, dict):
                raise row.error("row", value, "must be a JSON object", "Correct or drop the row.")
            yield row


def _read_list(url: str) -> list[Any]:
    data = b"".join(line for _, line in read_lines(url))
    try:
        rows = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(url, rule=f"must be JSON: {error}", fix="Fetch or write the file again.") from error
    if not isinstance(rows, list) or not rows:
        shown = "an empty list" if rows == [] else f"a {type(rows).__name__}"
        raise DataError(url, rule=f"must be a list of rows, not {shown}", fix="Check the file.")
    return rows


def literal_dict(row: Row, key: str) -> Mapping[str, Any]:
    """Return an object that a row holds as such, or as the text of a Python dict, which is read but never evaluated.

    Raises:
        RowError: it is neither, has no or too many entries, or is too long.
    """
    value = row.value.get(key)
    fix = "Correct the row, or drop it."
    if isinstance(value, str):
        if len(value) > _MAX_LITERAL:
            raise row.error(key, value, f"must be of at most {_MAX_LITERAL:,} characters", fix)
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            raise row.error(key, value, "must be the text of a Python dict", fix) from error
    if not isinstance(value, dict) or not 0 < len(value) <= _MAX_ENTRIES:
        raise row.error(key, value, f"must be an object, or the text of one, of 1 to {_MAX_ENTRIES} entries", fix)
    if not all(isinstance(name, str) and name for name in value):
        raise row.error(key, value, "must have texts as keys", fix)
    return value


def number(row: Row, key: str, lower: float, upper: float) -> float:
    """Return a number within bounds.

    Raises:
        RowError: it is none.
    """
    value = row.value.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not lower <= value <= upper:
        raise row.error(key, value, f"must be a number from {lower:g} to {upper:g}", "Correct the row, or drop it.")
    return float(value)


def one_of(row: Row, key: str, known: Sequence[str]) -> str:
    """Return the one of some words that a row has, whatever its case.

    Raises:
        RowError: it has another.
    """
    word = row.text(key).strip()
    for name in known:
        if word.casefold() == name.casefold():
            return name
    raise row.error(key, word, f"must be one of: {', '.join(known)}", "Correct the row, or drop it.")
