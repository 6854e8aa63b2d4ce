"""YAML as the config reads and writes it: YAML 1.2 scalars, no duplicate keys, no aliases, line numbers kept.

PyYAML speaks YAML 1.1, where `on` is true, `1e-4` is text, `010` is eight and `2024-01-01` is a date. Here only
true/false, null, decimal numbers and text exist.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from emocal_rl.platform.errors import ConfigError, ConfigErrors

_SCALARS = (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*)$", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:[0-9][0-9_]*\.[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)$",
        "-+.0123456789",
    ),
)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012  (PyYAML's own declaration)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.get_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not supported", mark)
        return super().compose_node(parent, index)


class _Dumper(yaml.SafeDumper):
    """Keeps the YAML 1.1 resolvers beside ours: text that either dialect would read as something else is quoted."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  (PyYAML's signature)
        return True


for _tag, _pattern, _first in _SCALARS:
    for _dialect in (_Loader, _Dumper):
        _dialect.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


@dataclass(frozen=True)
class YamlMapping:
    """The top-level mapping of a document. `lines` maps a key's path to its 1-based line."""

    values: dict[str, Any]
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)


def parse_value(text: str) -> Any:
    """Parse one YAML value, as `--set key=value` carries it.

    Raises:
        yaml.YAMLError: the text is no YAML value.
    """
    return yaml.load(text, _Loader)  # noqa: S506  (a SafeLoader)


def parse_mapping(text: str, source: str) -> YamlMapping:
    """Parse a document whose top level is a mapping; an empty document is an empty mapping.

    Raises:
        ConfigErrors: invalid YAML, another top-level type, or duplicate keys (all of them at once).
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
            return YamlMapping({})
        if not isinstance(node, yaml.MappingNode):
            found = "list" if isinstance(node, yaml.SequenceNode) else "scalar"
            rule = f"the top level must be a mapping of sections, not a {found}"
            raise ConfigErrors([ConfigError(source, rule=rule)])
        duplicates: list[ConfigError] = []
        lines: dict[tuple[str, ...], int] = {}
        values = _construct(loader, node, (), lines, duplicates, source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}:{mark.line + 1}" if mark else source
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigErrors([ConfigError(where, rule=f"not valid YAML: {problem}")]) from None
    finally:
        loader.dispose()
    if duplicates:
        raise ConfigErrors(duplicates)
    return YamlMapping(values, lines)


def _construct(
    loader: _Loader,
    node: yaml.MappingNode,
    path: tuple[str, ...],
    lines: dict[tuple[str, ...], int],
    duplicates: list[ConfigError],
    source: str,
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        here, line = (*path, str(key_node.value)), key_node.start_mark.line + 1
        if here in lines:
            dotted = ".".join(here)
            duplicates.append(ConfigError(f"{source}:{line}: {dotted}", rule=f"already set on line {lines[here]}"))
        lines[here] = line
        if isinstance(value_node, yaml.MappingNode):
            values[here[-1]] = _construct(loader, value_node, here, lines, duplicates, source)
        else:
            values[here[-1]] = loader.construct_object(value_node, deep=True)
    return values


def dump_yaml(values: dict[str, Any]) -> str:
    """Write plain values so that this module and any YAML 1.1 reader read them back unchanged."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, width=120)
