import json
from pathlib import Path
from typing import Annotated, Any

import typer

from emocal_rl.cli.options import JsonOption

app = typer.Typer(help="Score predictions.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Score predictions."""  # keeps `score` a subcommand while it is the only one


@app.command()
def score(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Prediction JSONL: paths or fsspec URLs; shards are merged.")
    ],
    protocol: Annotated[str, typer.Option(help="How answers and confidences are read.")] = "strict",
    bins: Annotated[int, typer.Option(min=2, max=100, help="Bins of the expected calibration error.")] = 10,
    as_json: JsonOption = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write PROTOCOL.json and reliability.svg into this folder.")
    ] = None,
) -> None:
    """Score VECBench predictions: accuracy, F1, ECE, Brier, AUC per task, per group and overall.

    A row is a VECBench row with the model's `response`; a failed inference
    is {"original_data": ROW, "error": TEXT} and counts as wrong.
    Under `strict` an answer is a label or one of its aliases, a confidence a
    plain number in [0, 1]; anything else is counted by its reason.

    Examples:
      emocal-rl eval score predictions.jsonl
      emocal-rl eval score shard-*.jsonl --json > metrics.json
      emocal-rl eval score s3://bucket/run-7.jsonl.gz --bins 15 --out scores/
    """
    from emocal_rl.benchmarks.vecbench.shards import read_shards
    from emocal_rl.benchmarks.vecbench.strict import score_strict
    from emocal_rl.platform.errors import UserError, nearest

    if protocol != "strict":
        raise UserError(
            "--protocol", protocol, rule="must be one of: strict", fix=nearest(protocol.lower(), ["strict"])
        )
    report = score_strict(read_shards(files), num_bins=bins).to_dict()
    if out is not None:
        _write(report, out)
    if as_json:
        typer.echo(json.dumps(report, indent=2, allow_nan=False))
        return
    from emocal_rl.cli.score_table import print_scores

    print_scores(report)


def _write(report: dict[str, Any], directory: Path) -> None:
    from emocal_rl.platform.errors import UserError
    from emocal_rl.platform.report.calibration_figures import Panel, draw_reliability
    from emocal_rl.platform.report.palette import AFTER

    overall = report["overall"]
    title = f"{report['protocol']}, {overall['num_samples']} samples"
    figure = draw_reliability([Panel(title, AFTER, report["reliability"], overall["ece"])])
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{report['protocol']}.json").write_text(json.dumps(report, indent=2, allow_nan=False) + "\n")
        (directory / "reliability.svg").write_text(figure)
    except OSError as error:
        rule = f"cannot be written: {error.strerror}"
        raise UserError("--out", str(directory), rule=rule, fix="Choose another folder.") from error
