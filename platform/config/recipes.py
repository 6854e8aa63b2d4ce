from importlib import resources
from pathlib import Path

from emocal_rl.platform.errors import ConfigError, ConfigErrors, nearest


def list_recipes() -> list[str]:
    """Return the names of the shipped recipes (`stages/recipes/*.yaml`)."""
    folder = resources.files("emocal_rl.stages") / "recipes"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_recipe(recipe: str) -> tuple[str, str]:
    """Return the short name and the text of a shipped recipe, a local file or an fsspec URL.

    Raises:
        ConfigErrors: there is none, or it cannot be read.
    """
    shipped = list_recipes()
    if recipe in shipped:
        text = (resources.files("emocal_rl.stages") / "recipes" / f"{recipe}.yaml").read_text(encoding="utf-8")
        return f"{recipe}.yaml", text
    try:
        if "://" in recipe:
            import fsspec  # slow to import, and rarely needed

            with fsspec.open(recipe, "rt", encoding="utf-8") as stream:
                return recipe, str(stream.read())
        return recipe, Path(recipe).read_text(encoding="utf-8")
    except FileNotFoundError:
        fix = nearest(recipe, shipped) or f"Give a path, or one of the shipped recipes: {', '.join(shipped)}."
        error = ConfigError("--config", recipe, rule="there is no such recipe or file", fix=fix)
    except (
        OSError,
        ValueError,
        ImportError,
    ) as problem:  # unreadable, not UTF-8, unknown protocol, missing fsspec backend
        error = ConfigError("--config", recipe, rule=f"cannot be read: {problem}")
    raise ConfigErrors([error])
