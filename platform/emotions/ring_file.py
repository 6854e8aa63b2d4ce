"""Rings as a YAML file, so that whoever holds the lexicon can label with rings of their own making."""

from collections.abc import Mapping
from pathlib import Path

from emocal_rl.platform.config.yaml_format import YamlMapping, dump_yaml, parse_mapping
from emocal_rl.platform.data.jsonl import read_lines
from emocal_rl.platform.emotions.ring import RING_POSITIONS, Rings, ring_of_unbiased6
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
from emocal_rl.platform.errors import DataError, nearest
from emocal_rl.platform.runs.atomic import write_text

_HEADER = "# Emotion rings: each label's place on its taxonomy's closed loop, as a fraction of the perimeter.\n"


def write_rings(path: Path, rings: Rings) -> None:
    """Write rings that `read_rings` reads back."""
    write_text(path, _HEADER + dump_yaml({name: dict(positions) for name, positions in rings.items()}))


def read_rings(url: str | None) -> Rings:
    """Return the shipped rings, those of a ring file in their place.

    UnbiasedEmo's ring follows the file's WebEmo-7, unless the file has one for it.

    Args:
        url: path or fsspec URL of the file; None is the shipped rings alone.

    Raises:
        DataError: the file cannot be read, or names an unknown taxonomy or label, or lacks a label, or has a position
            outside [0, 1).
        ConfigErrors: it is not YAML.
    """
    if url is None:
        return RING_POSITIONS
    text = b"".join(line for _, line in read_lines(url)).decode("utf-8", errors="replace")
    document = parse_mapping(text, url)
    read = {name: _positions(url, document, name) for name in document.values}
    if "webemo7" in read and "unbiased6" not in read:
        read["unbiased6"] = ring_of_unbiased6(read["webemo7"])
    return {**RING_POSITIONS, **read}


def _positions(url: str, document: YamlMapping, name: str) -> dict[str, float]:
    place, value, taxonomy = f"{url}:{document.lines[name,]}", document.values[name], TAXONOMIES.get(name)
    if taxonomy is None:
        rule = f"must be a taxonomy ({', '.join(TAXONOMIES)})"
        raise DataError(place, name, rule=rule, fix=nearest(name, TAXONOMIES))
    given: Mapping[object, object] = value if isinstance(value, dict) else {}
    positions: dict[str, float] = {}
    for label, position in given.items():
        here = f"{url}:{document.lines[name, str(label)]} {name}.{label}"
        if label not in taxonomy.labels:
            raise DataError(here, rule=f"is no label of {name}", fix=nearest(str(label), taxonomy.labels))
        if isinstance(position, bool) or not isinstance(position, int | float) or not 0.0 <= position < 1.0:
            raise DataError(here, position, rule="must be a number in [0, 1)", fix="Build the ring again.")
        positions[label] = float(position)
    missing = [label for label in taxonomy.labels if label not in positions]
    if missing:
        rule = f"must place every label of its taxonomy; {', '.join(missing)} missing"
        raise DataError(f"{place} {name}", rule=rule, fix="Build the ring again: emocal-rl ring build.")
    return positions
