"""The cells of an ablation and the runs they take: pure data, checked before anything starts."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emocal_rl.platform.config.ablation import AblatedStage, AblationFile
from emocal_rl.platform.config.keys import config_keys
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import ConfigError, ConfigErrors, nearest

_FIXED = ("run.", "cluster.", "tracking.")
"""Sections that say where a run is and not what it is; `run.seed` counts by itself."""


@dataclass(frozen=True)
class Cell:
    """One combination of values. `name` tells it from the others: `rule=loglik, normalize=false`."""

    number: int
    name: str
    values: Mapping[str, Any]
    config: Config

    @property
    def slug(self) -> str:
        """The cell as a part of a folder's name."""
        return f"{self.number:02d}-{re.sub(r'[^A-Za-z0-9.]+', '-', self.name).strip('-')[:60]}"


@dataclass(frozen=True)
class Trial:
    """One cell with one seed: a run of its own, in the folder `run` of the ablation's."""

    cell: Cell
    seed: int
    config: Config

    @property
    def run(self) -> str:
        """Name of the run's folder."""
        return f"{self.cell.slug}-seed-{self.seed}"


@dataclass(frozen=True)
class Layout:
    """A whole ablation. The trials stand seed by seed, so that what a killed one leaves is paired."""

    stage: AblatedStage
    grid: Mapping[str, Sequence[Any]]
    seeds: tuple[int, ...]
    baseline: Cell
    base: Config
    cells: tuple[Cell, ...]
    trials: tuple[Trial, ...]

    @property
    def description(self) -> dict[str, Any]:
        """What makes two ablations the same one, beside their configs."""
        grid = {key: list(values) for key, values in self.grid.items()}
        cells = [cell.name for cell in self.cells]
        seeds = list(self.seeds)
        return {"stage": self.stage, "grid": grid, "only": cells, "seeds": seeds, "baseline": self.baseline.name}


def lay_out(ablation: AblationFile, recipe: str | None, flags: Mapping[str, Any], sets: Sequence[str]) -> Layout:
    """Resolve the configuration of every cell.

    Args:
        ablation: grid, seeds and what is set alike in all cells.
        recipe: what every cell starts from.
        flags: config keys by the command's options, before the file's `settings`.
        sets: `key=value` strings, before both.

    Raises:
        ConfigErrors: everything that is wrong with the grid and its values.
    """
    grid = {key: [_as_text_where_text(key, value) for value in values] for key, values in ablation.grid.items()}
    alike = {**ablation.settings, **{key: value for key, value in flags.items() if value is not None}}
    base = resolve_config(recipe, alike, sets)
    _check_keys(grid, ablation.stage, {*alike, *(setting.partition("=")[0].strip() for setting in sets)})
    names = _short_names(list(grid))
    cells: list[Cell] = []
    errors: list[ConfigError] = []
    for number, values in enumerate(itertools.product(*grid.values()), start=1):
        chosen = dict(zip(grid, values, strict=True))
        name = ", ".join(f"{names[key]}={_shown(value)}" for key, value in chosen.items())
        try:
            cells.append(Cell(number, name, chosen, resolve_config(recipe, {**alike, **chosen}, sets)))
        except ConfigErrors as error:
            errors += [found for found in error.errors if str(found) not in map(str, errors)]
    if errors:
        raise ConfigErrors(errors)
    _check_distinct(cells)
    if ablation.only:
        chosen_cells = [_find_cell("--only", name, cells) for name in ablation.only]
        cells = [cell for cell in cells if cell in chosen_cells]
    seeds = tuple(range(base.run.seed, base.run.seed + ablation.seeds))
    trials = tuple(Trial(cell, seed, _seeded(cell.config, seed, base.run.seed)) for seed in seeds for cell in cells)
    baseline = cells[0] if ablation.baseline is None else _find_cell("--baseline", ablation.baseline, cells)
    return Layout(ablation.stage, grid, seeds, baseline, base, tuple(cells), trials)


def _as_text_where_text(key: str, value: Any) -> Any:
    known = config_keys().get(key)
    return str(value) if known is not None and known.is_text and isinstance(value, bool | int | float) else value


def _check_keys(grid: Mapping[str, Sequence[Any]], stage: AblatedStage, elsewhere: set[str]) -> None:
    if not grid:
        raise ConfigErrors([ConfigError("--grid", rule="must name at least one key with its values: KEY=A,B")])
    errors = []
    for key, values in grid.items():
        if not values:
            errors.append(ConfigError(f"--grid {key}", rule="must have at least one value"))
        if key.startswith(_FIXED) and key != "run.cold_start_seed":
            fix = "Seeds count up from run.seed: --seeds N." if key == "run.seed" else "Set it for all: --set."
            errors.append(ConfigError(f"--grid {key}", rule="says where or how often, not what is compared", fix=fix))
        elif stage != "calibration" and not key.startswith(f"{stage}."):
            rule = f"must be a key of {stage}.*: the cells share the model that stage {stage} begins with"
            errors.append(ConfigError(f"--grid {key}", rule=rule))
        if key in elsewhere:
            errors.append(ConfigError(f"--grid {key}", rule="is also set for all cells", fix="Drop one of the two."))
    if errors:
        raise ConfigErrors(errors)


def _check_distinct(cells: Sequence[Cell]) -> None:
    seen: dict[str, Cell] = {}
    for cell in cells:
        first = seen.setdefault(cell.config.model_dump_json(), cell)
        if first is not cell:
            rule = f"is the same configuration as {first.name!r}"
            raise ConfigErrors([ConfigError("--grid", cell.name, rule=rule, fix="Give every value once.")])


def _find_cell(option: str, name: str, cells: Sequence[Cell]) -> Cell:
    known = {cell.name: cell for cell in cells}
    wanted = ", ".join(part.strip() for part in name.split(","))
    if wanted not in known:
        fix = nearest(wanted, known) or f"The cells are: {'; '.join(known)}."
        raise ConfigErrors([ConfigError(option, name, rule="is no cell", fix=fix)])
    return known[wanted]


def _seeded(config: Config, seed: int, first_seed: int) -> Config:
    """Let the seed decide order and sampling; the cold start keeps one of its own."""
    run = config.run
    cold_start = first_seed if run.cold_start_seed is None else run.cold_start_seed
    return config.model_copy(
        update={"run": run.model_copy(update={"seed": seed, "cold_start_seed": cold_start})}
    )  # fmt: skip


def _short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return the shortest end of each key that no other key has."""
    names = {}
    for key in keys:
        parts = key.split(".")
        ends = [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]
        names[key] = next(end for end in ends if sum(f".{other}".endswith(f".{end}") for other in keys) == 1)
    return names


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
