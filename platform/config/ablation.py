"""A file that describes an ablation: which config keys take which values, over which recipe, how often."""

from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from emocal_rl.platform.config.section import Section
from emocal_rl.platform.config.yaml_format import parse_mapping
from emocal_rl.platform.errors import ConfigError, ConfigErrors, nearest

AblatedStage = Literal["reasoning", "confidence", "calibration"]
"""Stage 1, 2 or 3."""


class AblationFile(Section):
    """What `emocal-rl ablate FILE` reads; options of the command go before it."""

    recipe: str | None = None
    """Recipe or config file that every cell starts from; unset is the tiny policy's."""
    stage: AblatedStage = "calibration"
    """The stage that every cell runs. All begin with the same model: the one that the stage before leaves."""
    grid: dict[str, list[Any]] = Field(default_factory=dict)
    """Config key to the values it takes; a cell is one combination of them."""
    only: list[str] = Field(default_factory=list)
    """Names of the cells that are run, of all combinations, e.g. `rule=loglik, normalize=false`; empty is every one."""
    seeds: int = Field(default=3, ge=1, le=1000)
    """How many seeds each cell is run with, counted up from `run.seed`."""
    baseline: str | None = None
    """Name of the cell that the others are compared with, e.g. `rule=loglik, normalize=false`; unset is the first."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Config keys that are set alike in all cells."""


def list_ablations() -> list[str]:
    """Return the names of the shipped ablations (`stages/ablations/*.yaml`)."""
    folder = resources.files("emocal_rl.stages") / "ablations"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_ablation(name: str) -> AblationFile:
    """Read a shipped ablation by its name, or a file by its path.

    Raises:
        ConfigErrors: there is none, or something in it is wrong.
    """
    shipped = list_ablations()
    try:
        if name.removesuffix(".yaml") in shipped and not Path(name).exists():
            file = resources.files("emocal_rl.stages") / "ablations" / f"{name.removesuffix('.yaml')}.yaml"
            text = file.read_text(encoding="utf-8")
        else:
            text = Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        fix = nearest(name, shipped) or f"Give a path, or one of the shipped ablations: {', '.join(shipped)}."
        rule = f"cannot be read: {error}" if Path(name).exists() else "there is no such ablation or file"
        raise ConfigErrors([ConfigError("CONFIG", name, rule=rule, fix=fix)]) from None
    return make_ablation(parse_mapping(text, name).values, name)


def make_ablation(values: dict[str, Any], source: str) -> AblationFile:
    """Check the values of a file, or of the command's options.

    Raises:
        ConfigErrors: everything that is wrong.
    """
    try:
        return AblationFile.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise ConfigErrors([_plain(source, each["loc"], each["input"], each["msg"]) for each in found]) from None


def _plain(source: str, path: tuple[int | str, ...], value: object, message: str) -> ConfigError:
    key = ".".join(str(part) for part in path)
    if message.startswith("Extra inputs"):
        fix = nearest(key, AblationFile.model_fields) or f"Known are {', '.join(AblationFile.model_fields)}."
        return ConfigError(f"{source}: {key}", rule="unknown key", fix=fix)
    return ConfigError(f"{source}: {key}", value, rule=message[0].lower() + message[1:])
