"""What a config key means, what it is now and which layer said so."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from emocal_rl.platform.config.keys import config_keys, config_sections
from emocal_rl.platform.config.load import ResolvedConfig, dump_config, nearest_key
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import ConfigError


@dataclass(frozen=True)
class Explanation:
    """One key of the config tree, ready to print or to serialise."""

    key: str
    doc: str
    type_name: str
    bounds: str
    default: object
    value: object
    origin: str
    """The layer that set the value: `default`, `synthvec.yaml:12`, `flag` or `--set`."""

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain JSON-ready values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def to_text(self) -> str:
        """Return the explanation as a few lines to read."""
        accepts = f"{self.type_name}, {self.bounds}" if self.bounds else self.type_name
        return (
            f"{self.key} = {_shown(self.value)}  ({self.origin})\n  {self.doc}\n"
            f"  accepts {accepts}; default {_shown(self.default)}"
        )


def _shown(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def explain(key: str, resolved: ResolvedConfig) -> list[Explanation]:
    """Explain one key, or every key of a section.

    Raises:
        ConfigError: there is no such key.
    """
    keys = config_keys()
    chosen = [key] if key in keys else [name for name in keys if name.startswith(f"{key}.")]
    if not chosen:
        raise ConfigError(key, rule="unknown key", fix=nearest_key(key))
    return [_explain_leaf(name, resolved) for name in chosen]


def section_doc(key: str) -> str:
    """Return the docstring of a section, or an empty string for a leaf."""
    return config_sections().get(key, "")


def _explain_leaf(name: str, resolved: ResolvedConfig) -> Explanation:
    known, value = config_keys()[name], value_of(resolved.config, name)
    return Explanation(
        name, known.doc, known.type_name, known.bounds, known.default, value, origin_of(name, resolved.origins)
    )


def value_of(config: Config, key: str) -> object:
    """Return the value at a dotted key, e.g. `rollout.sampling.temperature`."""
    value: object = config
    for part in key.split("."):
        value = getattr(value, part)
    return value


def origin_of(key: str, origins: dict[str, str]) -> str:
    """Name the layer a key's value came from; a free mapping names every layer that set one of its members."""
    members = [origin for name, origin in origins.items() if name == key or name.startswith(f"{key}.")]
    return ", ".join(dict.fromkeys(members)) or "default"


def annotated_yaml(resolved: ResolvedConfig) -> str:
    """Write the resolved config as YAML with the layer behind every value that is not the default."""
    lines: list[str] = []
    path: list[str] = []
    for line in dump_config(resolved.config).splitlines():
        content = line.lstrip(" ")
        depth = (len(line) - len(content)) // 2
        if content.startswith("- "):
            lines.append(line)
            continue
        path[depth:] = [content.partition(":")[0]]
        key = ".".join(path)
        origin = origin_of(key, resolved.origins) if key not in config_sections() else "default"
        lines.append(line if origin == "default" else f"{line}  # {origin}")
    return "\n".join(lines) + "\n"


def config_schema() -> dict[str, Any]:
    """Return the tree's JSON schema, for editors and other programs."""
    return Config.model_json_schema()
