"""From layers to one `Config`: defaults < YAML < flags < `--set section.key=value`, all errors at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError

from emocal_rl.platform.config.keys import config_keys, config_sections
from emocal_rl.platform.config.recipes import read_recipe
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.config.yaml_format import YamlMapping, dump_yaml, parse_mapping, parse_value
from emocal_rl.platform.errors import ConfigError, ConfigErrors, nearest


@dataclass(frozen=True)
class Setting:
    """A value for one leaf and the layer it came from: `synthvec.yaml:12`, `flag` or `--set`."""

    value: Any
    origin: str

    def locate(self, key: str) -> str:
        """Name the setting as an error message does: file and line, or `--set`, before the key."""
        if self.origin == "--set":
            return f"--set {key}"
        return key if self.origin == "flag" else f"{self.origin}: {key}"


@dataclass(frozen=True)
class ResolvedConfig:
    """A `Config` with the origin of every key that is not the embedded default."""

    config: Config
    origins: dict[str, str]


def resolve_config(
    recipe: str | None = None, overrides: Mapping[str, object] | None = None, sets: Sequence[str] = ()
) -> Config:
    """Resolve the layers into one config.

    Args:
        recipe: name of a shipped recipe, path or URL of a YAML file; None lays nothing over the defaults.
        overrides: dotted keys from command-line flags; a None value is a flag that was not given.
        sets: `section.key=value` strings, the value in YAML; later ones win.

    Raises:
        ConfigErrors: everything that is wrong, each with key, value, rule and where it was written.
    """
    return resolve_layers(recipe, overrides, sets).config


def resolve_layers(
    recipe: str | None = None, overrides: Mapping[str, object] | None = None, sets: Sequence[str] = ()
) -> ResolvedConfig:
    """Do what `resolve_config` does and keep which layer set each key."""
    layers = _Layers()
    if recipe is not None:
        source, text = read_recipe(recipe)
        layers.add_mapping(parse_mapping(text, source), source)
    for key, value in (overrides or {}).items():
        if value is not None:
            layers.add(key, Setting(value, "flag"))
    for assignment in sets:
        layers.add_assignment(assignment)
    config = _validate(layers)
    if layers.errors:
        raise ConfigErrors(layers.errors)
    assert config is not None
    return ResolvedConfig(config, {key: setting.origin for key, setting in layers.settings.items()})


def dump_config(config: Config) -> str:
    """Write a config as YAML that `resolve_config` reads back to an equal config."""
    return dump_yaml(config.model_dump(mode="json"))


@dataclass
class _Layers:
    """The settings laid over the defaults so far, flat by leaf key, and the errors found on the way."""

    settings: dict[str, Setting] = field(default_factory=dict)
    errors: list[ConfigError] = field(default_factory=list)

    def add(self, key: str, setting: Setting) -> None:
        known = config_keys().get(key)
        if known is not None and known.is_mapping and isinstance(setting.value, Mapping):
            for name, member in setting.value.items():
                self.settings[f"{key}.{name}"] = Setting(member, setting.origin)
        elif known is not None or _is_parameter(key):
            self.settings[key] = setting
        elif key in config_sections():
            rule = f"names a section: set one of its keys ({', '.join(_members(key))})"
            self.errors.append(ConfigError(setting.locate(key), setting.value, rule=rule))
        else:
            self.errors.append(ConfigError(setting.locate(key), rule="unknown key", fix=nearest_key(key)))

    def add_mapping(self, document: YamlMapping, source: str) -> None:
        for path, value in _leaves(document.values, ()):
            self.add(".".join(path), Setting(value, f"{source}:{document.lines[path]}"))

    def add_assignment(self, assignment: str) -> None:
        key, separator, text = assignment.partition("=")
        key = key.strip()
        if not separator or not key:
            self.errors.append(ConfigError("--set", assignment, rule="must be section.key=value"))
            return
        try:
            value = parse_value(text)
        except yaml.YAMLError:
            self.errors.append(ConfigError(f"--set {key}", text, rule="not a YAML value", fix="Quote it."))
            return
        known = config_keys().get(key)
        if known is not None and known.is_text and isinstance(value, bool | int | float):
            value = text.strip()
        self.add(key, Setting(value, "--set"))


def _leaves(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield what a YAML mapping sets, leaf by leaf; a section left empty sets nothing."""
    for name, value in values.items():
        here = (*path, name)
        if ".".join(here) not in config_sections():
            yield here, value
        elif isinstance(value, Mapping):
            yield from _leaves(value, here)
        elif value is not None:
            yield here, value


def _is_parameter(key: str) -> bool:
    """Whether `key` is a member of a free mapping, e.g. `reward.confidence.params.clip`."""
    parent, _, name = key.rpartition(".")
    return bool(name) and parent in config_keys() and config_keys()[parent].is_mapping


def _validate(layers: _Layers) -> Config | None:
    """Build the config from defaults and settings; what pydantic refuses is added to `layers.errors`."""
    # The defaults are laid out in full first: a section given in part keeps its parent's defaults, not its class's.
    # Those of the reward depend on its preset, which fills in what nobody has set.
    tree = Config().model_dump(exclude={"reward"})
    for key, setting in layers.settings.items():
        *path, name = key.split(".")
        section = tree
        for part in path:
            section = section.setdefault(part, {})
        section[name] = setting.value
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        layers.errors += _plain_errors(error, layers.settings)
        return None


def _plain_errors(error: ValidationError, settings: Mapping[str, Setting]) -> Iterator[ConfigError]:
    """Say pydantic's findings as one rule per key: a union is refused once, not once per member."""
    seen = set()
    for found in error.errors(include_url=False):
        path = [str(part) for part in found["loc"]]
        key = next((key for n in range(len(path), 0, -1) if (key := ".".join(path[:n])) in settings), ".".join(path))
        if key in seen:
            continue
        seen.add(key)
        message = str(found.get("ctx", {}).get("error", "")) if found["type"] == "value_error" else ""
        if key in settings:
            rule = message or _rule(key)
            yield ConfigError(settings[key].locate(key), settings[key].value, rule=rule)
        else:  # a rule about several keys, raised by their section
            yield ConfigError(key or "config", rule=message or found["msg"])


def _rule(key: str) -> str:
    known = config_keys().get(key)
    return known.rule if known else "must be true, false, a number or text"


def _members(section: str) -> list[str]:
    prefix = f"{section}."
    names = {key.removeprefix(prefix).split(".")[0]: None for key in config_keys() if key.startswith(prefix)}
    return list(names)


def nearest_key(key: str) -> str:
    """Suggest the nearest key of the same section, or any key whose last part is what was meant."""
    known = [*config_keys(), *config_sections()]
    suggestion = nearest(key, known)
    if suggestion:
        return suggestion
    last = key.rpartition(".")[2]
    same = [name for name in config_keys() if name.rpartition(".")[2] == last]
    if same:
        return f"Did you mean {' or '.join(repr(name) for name in same[:3])}?"
    return f"Sections are {', '.join(name for name in config_sections() if '.' not in name)}."
