import json
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocal_rl.cli.options import ConfigOption, JsonOption, PresetOption, RewardOption, SetOption

if TYPE_CHECKING:
    from emocal_rl.platform.contracts import RewardedResponse, Sample
    from emocal_rl.rewards.listing import ParameterDescription, RewardDescription

app = typer.Typer(help="Reward rules and compositions: what there is, what they give.", no_args_is_help=True)


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
      emocal-rl launch --reward my_reward.py:pseudospherical # your own
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


@app.command()
def score(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSONL of responses: path, fsspec URL, or - for stdin.")],
    preset: PresetOption = None,
    reward: RewardOption = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reward the responses of a file, as stage 3 would: every term and the total.

    A row needs `response` and `ground_truth`. `candidates` or `task` say in
    which taxonomy the answer is read (without them only the label itself is
    right); `finish_reason` may be `length` for a truncated response. A rule
    that fails masks its response with the reason, as it would in training.

    With --json one object a line: the terms by name and their `total` (null
    where it is masked), then `masked`, `correct`, `well_formed`, `answer`,
    `stated_confidence`, and the row's `id` and `line`.

    Examples:
      emocal-rl rewards score predictions.jsonl --preset paper
      emocal-rl rewards score predictions.jsonl --preset official --json
      emocal-rl rewards score rows.jsonl --reward my_reward.py:pseudospherical
      cat rows.jsonl | emocal-rl rewards score - --preset rlcr --json
    """
    from emocal_rl.platform.config.load import resolve_config
    from emocal_rl.platform.data.responses import read_responses
    from emocal_rl.rewards.composition import Composition
    from emocal_rl.rewards.group_scoring import score_group

    sys.path.insert(0, str(Path.cwd()))  # a user's plug-in lies where the user is
    flags = {"reward.preset": preset, "reward.confidence.rule": reward}
    composition = Composition.from_config(resolve_config(config, flags, sets or ()).reward)
    rows = read_responses(file)
    if as_json:
        for row in rows:
            (rewarded,) = score_group(composition, row.sample, [(row.text, row.finish_reason)])
            typer.echo(json.dumps(_scored(row.sample, rewarded), allow_nan=False))
        return
    from rich.console import Console

    from emocal_rl.cli.live import open_view
    from emocal_rl.cli.reward_table import print_rewards

    every = []
    with open_view(Console(stderr=True)) as view:
        view.phase("scoring", len(rows))
        for row in rows:
            every += score_group(composition, row.sample, [(row.text, row.finish_reason)])
            view.advance()
    print_rewards([row.sample.id for row in rows], every)


def _scored(sample: "Sample", rewarded: "RewardedResponse") -> dict[str, Any]:
    return {
        "id": sample.id,
        "line": sample.line,
        **{name: _finite(value) for name, value in rewarded.terms.items()},
        "total": None if rewarded.masked else rewarded.total,
        "masked": rewarded.masked,
        "correct": rewarded.correct,
        "well_formed": rewarded.well_formed,
        "answer": rewarded.answer,
        "stated_confidence": rewarded.confidence,
    }


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
