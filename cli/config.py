import json
from typing import Annotated

import typer

from emocal_rl.cli.options import DEFAULT_RECIPE, ConfigOption, JsonOption, SetOption

app = typer.Typer(help="Show, explain and describe the configuration.", no_args_is_help=True)


@app.command()
def show(config: ConfigOption = DEFAULT_RECIPE, sets: SetOption = None, as_json: JsonOption = False) -> None:
    """Print the resolved configuration, with the layer behind every value that is not the default."""
    from emocal_rl.platform.config.explain import annotated_yaml
    from emocal_rl.platform.config.load import resolve_layers

    resolved = resolve_layers(config, None, sets or ())
    if as_json:
        typer.echo(
            json.dumps({"config": resolved.config.model_dump(mode="json"), "origins": resolved.origins}, indent=2)
        )
    else:
        typer.echo(annotated_yaml(resolved), nl=False)


@app.command()
def explain(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A key or a section, e.g. rollout.sampling.temperature.")],
    config: ConfigOption = DEFAULT_RECIPE,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a key means, what it accepts, what it is and which layer set it."""
    from emocal_rl.platform.config.explain import explain as explain_key
    from emocal_rl.platform.config.explain import section_doc
    from emocal_rl.platform.config.load import resolve_layers

    found = explain_key(key, resolve_layers(config, None, sets or ()))
    if as_json:
        typer.echo(json.dumps([one.to_dict() for one in found], indent=2))
        return
    if section_doc(key):
        typer.echo(f"{key}: {section_doc(key)}\n")
    typer.echo("\n\n".join(one.to_text() for one in found))


@app.command()
def schema() -> None:
    """Print the JSON schema of the configuration, for editors and other programs."""
    from emocal_rl.platform.config.explain import config_schema

    typer.echo(json.dumps(config_schema(), indent=2))
