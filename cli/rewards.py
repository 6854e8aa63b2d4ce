import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from emocal_rl.cli.options import JsonOption

if TYPE_CHECKING:
    from emocal_rl.rewards.listing import ParameterDescription, RewardDescription

app = typer.Typer(help="The reward rules that a config can name.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The reward rules that a config can name."""  # keeps `list` a subcommand while it is the only one


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List reward rules, built in and from installed plug-ins, with their parameters, and the presets.

    `worst` is a rule's lowest value with default parameters, which a response
    without a valid confidence earns where the rule stands in the confidence
    term. A plug-in that cannot be loaded is listed with the reason.

    Examples:
      emocal-rl rewards list
      emocal-rl rewards list --json
      emocal-rl launch --reward brier                        # a rule of this list
      emocal-rl launch --reward my_reward.py:spherical       # your own
    """
    from emocal_rl.rewards.listing import describe_rewards
    from emocal_rl.rewards.presets import PRESETS

    described = describe_rewards()
    if as_json:
        rules = [{**asdict(rule), "worst": _finite(rule.worst)} for rule in described]
        presets = [{"name": name, "summary": summary} for name, summary in PRESETS.items()]
        typer.echo(json.dumps({"rewards": rules, "presets": presets}, indent=2, allow_nan=False))
        return
    for rule in described:
        typer.echo(_text(rule))
    typer.echo("Presets (whole compositions, --preset):\n")
    for name, summary in PRESETS.items():
        typer.echo(f"{_bold(name)}\n    {summary}\n")


def _text(rule: "RewardDescription") -> str:
    if rule.problem is not None:
        return f"{_bold(rule.name)}\n    cannot be loaded: {rule.problem}\n"
    signature = ", ".join(_signature(parameter) for parameter in rule.parameters)
    worst = "not declared" if rule.worst is None else f"{rule.worst:.4g}"
    return f"{_bold(rule.name)}({signature})\n    {rule.summary}\n    worst {worst}   {rule.source}\n"


def _signature(parameter: "ParameterDescription") -> str:
    default = "" if parameter.default is None else f" = {parameter.default!r}"
    return f"{parameter.name}: {parameter.type}{default}"


def _bold(name: str) -> str:
    return typer.style(name, bold=True)


def _finite(value: float | None) -> float | None:
    """JSON has no infinity."""
    return value if value is not None and math.isfinite(value) else None
