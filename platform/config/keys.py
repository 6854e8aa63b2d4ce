"""The config tree seen flat: every dotted key with its type, bounds, default and docstring."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from emocal_rl.platform.config.section import Section
from emocal_rl.platform.config.tree import Config

_NAMES: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    type(None): "null",
}
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below", "multiple_of": "a multiple of"}


@dataclass(frozen=True)
class Key:
    """One leaf of the config tree, e.g. `rollout.sampling.temperature`."""

    name: str
    annotation: object
    type_name: str
    """The type in words: `a whole number or null`."""
    bounds: str
    """The bounds in words: `at least 1 and at most 4096`; empty when there are none."""
    default: object
    doc: str

    @property
    def rule(self) -> str:
        """What a value must be, as one phrase for an error message."""
        return f"must be {self.type_name}" + (f", {self.bounds}" if self.bounds else "")

    @property
    def is_mapping(self) -> bool:
        """Whether the value is a free mapping such as `reward.confidence.params`, whose keys may be set one by one."""
        return get_origin(self.annotation) is dict

    @property
    def is_text(self) -> bool:
        """Whether only text (or null) is accepted, so that `--set run.name=7` means the text 7."""
        return set(get_args(self.annotation) or (self.annotation,)) <= {str, type(None)}


@cache
def config_keys() -> Mapping[str, Key]:
    """Return every leaf of the tree by its dotted name, in the tree's order."""
    return {name: _key(name, field, value) for name, field, value in _walk(Config()) if not isinstance(value, Section)}


@cache
def config_sections() -> Mapping[str, str]:
    """Return every section's dotted name with its docstring, in the tree's order."""
    return {name: _doc(field) for name, field, value in _walk(Config()) if isinstance(value, Section)}


def _walk(section: Section, prefix: str = "") -> Iterator[tuple[str, FieldInfo, object]]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        yield prefix + name, field, value
        if isinstance(value, Section):
            yield from _walk(value, f"{prefix}{name}.")


def _key(name: str, field: FieldInfo, value: object) -> Key:
    return Key(name, field.annotation, type_in_words(field.annotation), _bounds(field), value, _doc(field))


def _doc(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def type_in_words(annotation: object) -> str:
    """Say a type annotation in words, e.g. `int | None` as `a whole number or null`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(type_in_words(argument) for argument in arguments)
    if origin is Literal:
        values = [str(value) for value in arguments]
        return values[0] if len(values) == 1 else f"one of {', '.join(values)}"
    if origin is dict:
        return "a mapping"
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return f"a list of values, each {type_in_words(arguments[0])}"
        return f"a list of {len(arguments)} values, each {type_in_words(arguments[0])}"
    return _NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _bounds(field: FieldInfo) -> str:
    found = [
        f"{words} {getattr(bound, name)}"
        for bound in field.metadata
        for name, words in _BOUNDS.items()
        if getattr(bound, name, None) is not None
    ]
    return " and ".join(found)
