import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from emocal_rl.cli.eval_options import BinsOption, FilesArgument
from emocal_rl.cli.options import JsonOption

if TYPE_CHECKING:
    from emocal_rl.benchmarks.recalibration.recalibrate import Recalibration
    from emocal_rl.platform.data.vecbench import Prediction

_METHODS = ("temperature", "platt", "beta", "isotonic")
_SCOPES = ("overall", "group", "task")
_SHOWN = {"ece": "ECE", "brier": "Brier", "auc": "AUC", "mean_confidence": "Mean conf."}


def recalibrate(
    files: FilesArgument,
    method: Annotated[str, typer.Option(metavar="|".join((*_METHODS, "all")), help="How to recalibrate.")] = "all",
    per: Annotated[str, typer.Option(metavar="|".join(_SCOPES), help="What one fit is over.")] = "overall",
    folds: Annotated[int, typer.Option(min=2, max=100, help="Folds of the cross-fitting.")] = 5,
    bins: BinsOption = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the folds.")] = 0,
    as_json: JsonOption = False,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder or URL for METHOD.jsonl, the recalibrated predictions.")
    ] = None,
) -> None:
    """Recalibrate stated confidences after the fact: the cheap alternative that training has to beat.

      temperature  logit divided by one number    platt     two numbers
      beta         three numbers                  isotonic  any monotone steps
    Each confidence is mapped by a fit on the other folds, which hold the same
    tasks: no sample's own outcome touches it, but the fit does need labels.
    Answers stay as they are, and so does what states no valid confidence.

    Examples:
      emocal-rl eval recalibrate cold-start.jsonl
      emocal-rl eval recalibrate cold-start.jsonl --per group --out recalibrated/
      emocal-rl eval score recalibrated/isotonic.jsonl
    """
    from rich.console import Console

    from emocal_rl.benchmarks.recalibration import recalibrate as recalibration
    from emocal_rl.benchmarks.vecbench.judgement import judge
    from emocal_rl.benchmarks.vecbench.outcomes import collect
    from emocal_rl.cli.live import open_view

    _check("--method", method, (*_METHODS, "all"))
    _check("--per", per, _SCOPES)
    with open_view(Console(stderr=True)) as progress:
        progress.phase("reading predictions")
        predictions = _read(files)
        progress.phase("fitting")
        found = recalibration.recalibrate(
            collect(map(judge, predictions)),
            _METHODS if method == "all" else (method,),
            fit_per=per,
            num_folds=folds,
            num_bins=bins,
            seed=seed,
        )
        if out is not None:
            progress.phase("writing", len(found) - 1)
            for entry in found[1:]:
                _write(out, entry, predictions)
                progress.advance()
    if as_json:
        reports = {entry.method: entry.report.to_dict() for entry in found}
        typer.echo(
            json.dumps({"per": per, "folds": folds, "seed": seed, "reports": reports}, indent=2, allow_nan=False)
        )
        return
    _print(found)


def _check(option: str, value: str, known: Sequence[str]) -> None:
    from emocal_rl.platform.errors import UserError, nearest

    if value not in known:
        raise UserError(option, value, rule=f"must be one of: {', '.join(known)}", fix=nearest(value.lower(), known))


def _read(files: Sequence[str]) -> "list[Prediction]":
    from emocal_rl.platform.data.vecbench import read_predictions
    from emocal_rl.platform.errors import DataError

    seen: dict[str, Prediction] = {}
    for file in files:
        for prediction in read_predictions(file):
            if (first := seen.setdefault(prediction.id, prediction)) is not prediction:
                rule = f"must be unique over all files; {first.source}:{first.line} has it too"
                fix = "Leave out the file or row that repeats it; rows without an id need files of different names."
                raise DataError(f"{prediction.source}:{prediction.line} id", prediction.id, rule=rule, fix=fix)
    return list(seen.values())


def _write(folder: str, entry: "Recalibration", predictions: "Sequence[Prediction]") -> None:
    from emocal_rl.benchmarks.recalibration.recalibrate import with_confidence
    from emocal_rl.platform.data.location import Location
    from emocal_rl.platform.data.vecbench import write_predictions

    target = str(Location.parse(folder).join(f"{entry.method}.jsonl"))
    pairs = zip(predictions, entry.confidence.tolist(), strict=True)
    write_predictions(target, (with_confidence(*pair) for pair in pairs))


def _print(found: "Sequence[Recalibration]") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from emocal_rl.cli.whole_table import print_whole

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for title in _SHOWN.values():
        table.add_column(title, justify="right", no_wrap=True)
    scopes = [*found[0].report.groups, "Overall"]
    for scope in scopes:
        rows = {
            entry.method: entry.report.overall if scope == "Overall" else entry.report.groups[scope] for entry in found
        }
        stated = round(rows["stated"].coverage * rows["stated"].num_samples)
        table.add_row(f"{scope} ({stated} of {rows['stated'].num_samples} stated)", style="bold")
        for method, row in rows.items():
            values = [getattr(row, name) for name in _SHOWN]
            cells = ["–" if value is None else f"{100 * value:.2f}" for value in values]
            table.add_row(f"  {method}", *cells, style="dim" if method == "stated" else None)
        table.add_section()
    print_whole(table, Console())
