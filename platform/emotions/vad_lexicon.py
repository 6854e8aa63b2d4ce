"""The NRC VAD Lexicon, read from where its user keeps it: its licence forbids passing it on."""

import csv
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from emocal_rl.platform.data.jsonl import read_lines
from emocal_rl.platform.emotions.shortest_loop import Point
from emocal_rl.platform.emotions.taxonomy import Taxonomy, normalize_label
from emocal_rl.platform.errors import DataError

_WORD_COLUMNS = ("word", "term")
_DIMENSIONS = ("valence", "arousal", "dominance")
_FIX = "Give the lexicon's main file, NRC-VAD-Lexicon*.txt."
_BRITISH = {"enthrallment": "enthralment"}


def spellings_of(taxonomy: Taxonomy, stand_ins: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return each label with the words it may be found under, the best first; a stand-in is the only one."""
    spellings: dict[str, tuple[str, ...]] = {}
    for label in taxonomy.labels:
        others = [alias for alias, meant in taxonomy.aliases.items() if meant == label]
        others += [_BRITISH[label]] if label in _BRITISH else []
        spellings[label] = (stand_ins[label],) if label in stand_ins else (label, *others)
    return spellings


def read_vad_points(url: str, spellings: Mapping[str, Sequence[str]]) -> dict[str, Point]:
    """Return the (valence, arousal, dominance) of each label.

    The file has a word and its values a line, by tabs or commas: version 1 (0 to 1) or version 2.1 (-1 to 1), published
    or converted. The scale does not matter: a ring is measured in fractions of its own perimeter.

    Args:
        url: path or fsspec URL of the lexicon.
        spellings: label to the words it may be found under, the best first.

    Raises:
        DataError: the file is no such lexicon, a value is not in [-1, 1], or words are missing: all of them are named.
    """
    wanted = {normalize_label(word) for words in spellings.values() for word in words}
    found: dict[str, Point] = {}
    for word, point in _read_entries(url, wanted):
        found.setdefault(word, point)
    points: dict[str, Point] = {}
    missing: list[str] = []
    for label, words in spellings.items():
        key = next((key for word in words if (key := normalize_label(word)) in found), None)
        if key is None:
            missing.append(" or ".join(words))
        else:
            points[label] = found[key]
    if missing:
        rule = f"lacks {len(missing)} of the {len(spellings)} words: {', '.join(missing)}"
        fix = "Use version 2.1 of the lexicon, or name a word it has: --word LABEL=WORD."
        raise DataError(url, rule=rule, fix=fix)
    return points


def _read_entries(url: str, wanted: set[str]) -> Iterator[tuple[str, Point]]:
    lines = (data.decode("utf-8-sig", errors="replace") for _, data in read_lines(url))
    first = next(lines, "")
    dialect: type[csv.Dialect] = csv.excel_tab if "\t" in first else csv.excel
    rows = csv.reader(itertools.chain([first], lines), dialect)
    try:
        header = next(rows, [])
        columns, is_header = _columns(url, header)
        for row in rows if is_header else itertools.chain([header], rows):
            if len(row) > max(columns) and (word := normalize_label(row[columns[0]])) in wanted:
                yield word, _point(f"{url}:{rows.line_num}", [row[column] for column in columns[1:]])
    except csv.Error as error:
        raise DataError(f"{url}:{rows.line_num}", rule=f"is not text: {error}", fix=_FIX) from error


def _columns(url: str, row: Sequence[str]) -> tuple[tuple[int, ...], bool]:
    """Return where word, valence, arousal and dominance stand, and whether this first row is a header."""
    names = [normalize_label(field) for field in row]
    word = next((name for name in _WORD_COLUMNS if name in names), None)
    if word is not None and set(_DIMENSIONS) <= set(names):
        return tuple(names.index(name) for name in (word, *_DIMENSIONS)), True
    if len(row) == 1 + len(_DIMENSIONS) and None not in map(_number, row[1:]):
        return (0, 1, 2, 3), False
    rule = "must be lines of word, valence, arousal, dominance (tabs or commas), with a header or without"
    raise DataError(f"{url}:1", "\t".join(row)[:80], rule=rule, fix=_FIX)


def _point(place: str, fields: Sequence[str]) -> Point:
    values = [_number(field) for field in fields]
    for name, field, value in zip(_DIMENSIONS, fields, values, strict=True):
        if value is None or not -1.0 <= value <= 1.0:
            raise DataError(f"{place} {name}", field, rule="must be a number in [-1, 1]", fix="Correct the line.")
    valence, arousal, dominance = (value for value in values if value is not None)
    return valence, arousal, dominance


def _number(field: str) -> float | None:
    try:
        value = float(field)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
