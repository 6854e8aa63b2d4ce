import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocal_rl.cli.options import ConfigOption, JsonOption, PresetOption, RewardOption, SetOption, local_only

if TYPE_CHECKING:
    from emocal_rl.platform.config.tree import Config
    from emocal_rl.rewards.audit.audit import Audit

NormalizeOption = Annotated[
    bool | None,
    typer.Option("--normalize/--no-normalize", help="Judge advantages divided by the group's standard deviation."),
]
GroupSizeOption = Annotated[
    int | None, typer.Option("--group-size", min=2, max=4096, help="Responses of a group; without it the config's, 8.")
]
NumClassesOption = Annotated[int, typer.Option("--num-classes", min=2, max=25, help="Candidates of the question.")]
NumLevelsOption = Annotated[
    int, typer.Option("--num-levels", min=3, max=101, help="Confidences, evenly spaced, that the policy chooses from.")
]
StartOption = Annotated[
    list[str] | None,
    typer.Option(
        "--start", metavar="RUN|FILE", help="Also start from a run's cold start, or from an eval JSON; repeatable."
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Exit with 1 unless reward and estimator together are proper.")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", callback=local_only, help="Folder for audit.html, audit.json and two PNGs."),
]


def audit(
    reward: RewardOption = None,
    preset: PresetOption = None,
    normalize: NormalizeOption = None,
    group_size: GroupSizeOption = None,
    num_classes: NumClassesOption = 8,
    num_levels: NumLevelsOption = 11,
    start: StartOption = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
    out: OutOption = None,
) -> None:
    """Say what a reward and an advantage estimator will do to stated confidence, before anything is trained.

    Is the reward proper? Does honesty pay more the better the answer, or does a
    deliberately wrong answer with a low confidence (the decoy) pay more? Is
    malformed output a safe exit? Is it bounded? And where does the expected
    policy gradient take confidence, with raw and with normalised advantages?
    Responses are rendered and scored as in training, so any rule can be audited.

    Examples:
      emocal-rl rewards audit --reward loglik
      emocal-rl rewards audit --reward brier --normalize --group-size 8 --out audit
      emocal-rl rewards audit --preset official --num-classes 25 --json
      emocal-rl rewards audit --reward my_reward.py:pseudospherical --strict
      emocal-rl rewards audit --config my.yaml --set reward.confidence.weight=2 --start latest
    """
    from emocal_rl.platform.config.load import resolve_config
    from emocal_rl.rewards.audit.audit import audit as audit_reward

    sys.path.insert(0, str(Path.cwd()))  # a user's plug-in lies where the user is
    flags = {
        "reward.confidence.rule": reward,
        "reward.preset": preset,
        "advantage.normalize": normalize,
        "calibration.group_size": group_size,
    }
    settings = resolve_config(config, flags, sets or ())
    found = audit_reward(
        settings.reward,
        settings.advantage,
        group_size=settings.calibration.group_size,
        num_classes=num_classes,
        num_levels=num_levels,
        starts=dict(_read_start(place) for place in start or ()),
    )
    _present(found, settings, out, as_json=as_json)
    if strict and not found.is_proper:
        raise typer.Exit(1)


def _read_start(place: str) -> tuple[str, list[int]]:
    """Return the name and the histogram of stated confidences of an eval JSON, or of a run's cold start."""
    from emocal_rl.platform.errors import DataError
    from emocal_rl.platform.runs.directory import find_run

    path = Path(place)
    if path.suffix != ".json":
        path = find_run(place, "runs").evaluations / "before_sampled.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        histogram = [int(count) for count in (content.get("in_domain") or content)["histogram"]]
    except OSError as error:
        raise DataError("--start", str(path), rule=f"cannot be read: {error.strerror}") from error
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError) as error:
        raise DataError("--start", str(path), rule="must be an eval JSON with a histogram", fix="Give one.") from error
    if sum(histogram) < 1 or min(histogram) < 0:
        raise DataError("--start", str(path), rule="its histogram counts no confidence", fix="Give another.")
    return f"{path.parent.parent.name}/{path.stem}" if path.parent.name == "eval" else path.stem, histogram


def _present(found: "Audit", settings: "Config", out: Path | None, *, as_json: bool) -> None:
    data = found.to_dict()
    if out is not None:
        _write(data, settings, out)
    if as_json:
        typer.echo(json.dumps(data, indent=2, allow_nan=False))
        return
    from rich.console import Console

    from emocal_rl.cli.audit_table import print_audit

    console = Console()
    what = f"{data['preset']}, confidence by {data['rule']}; {data['estimator']} advantages"
    console.print(what, highlight=False, markup=False, soft_wrap=True)
    print_audit(data, console)
    console.print("proper" if found.is_proper else "NOT proper", style="bold", highlight=False)
    if out is not None:
        console.print(str(out / "audit.html"), soft_wrap=True, highlight=False, markup=False)


def _write(data: dict[str, Any], settings: "Config", out: Path) -> None:
    from emocal_rl.platform.config.yaml_format import dump_yaml
    from emocal_rl.platform.errors import UserError
    from emocal_rl.platform.report.audit_figures import draw_effects, draw_reward
    from emocal_rl.platform.report.audit_page import render_audit
    from emocal_rl.platform.report.palette import write_figure
    from emocal_rl.platform.runs.atomic import write_text

    sections = settings.model_dump(mode="json", include={"reward", "advantage"})
    figures = {"reward": draw_reward(data), "effects": draw_effects(data)}
    try:
        for name, figure in figures.items():
            write_figure(figure, out / f"{name}.png")
            figure.set_layout_engine("none")  # laid out once, for both files
        write_text(out / "audit.json", json.dumps(data, indent=2, allow_nan=False) + "\n")
        write_text(out / "audit.html", render_audit(data, **figures, config_yaml=dump_yaml(sections)))
    except OSError as error:
        rule = f"cannot be written: {error.strerror}"
        raise UserError("--out", str(out), rule=rule, fix="Choose another folder.") from error
