import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from emocal_rl.cli.eval_options import BinsOption, SeedOption
from emocal_rl.cli.options import JsonOption

if TYPE_CHECKING:
    from emocal_rl.benchmarks.statistics.paired import PairedComparison, PairedRow

_SHOWN = {
    "accuracy": "Accuracy",
    "f1_macro": "F1 macro",
    "ece": "ECE",
    "brier": "Brier",
    "auc": "AUC",
    "mean_confidence": "Mean confidence",
}


def paired(
    first: Annotated[str, typer.Argument(metavar="A", help="Prediction JSONL or Parquet: path or fsspec URL.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Predictions of another model on the same samples.")],
    bootstrap: Annotated[
        int, typer.Option(metavar="N", min=1, max=100_000, help="Resamples of 95 % intervals.")
    ] = 2000,
    bins: BinsOption = 10,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Tell whether B is really better than A: paired differences with 95 % intervals, and McNemar's test.

    Both files hold predictions on the same samples (by `id`; without ids by
    task, label and image name), read as in `eval score`. The intervals are BCa
    (basic where too biased), both models resampled alike within each task.
    Accuracy and F1 are over all samples; ECE, Brier and AUC over those where
    both state a confidence.

    Examples:
      emocal-rl eval paired cold-start.jsonl calibrated.jsonl
      emocal-rl eval paired seed-0.jsonl seed-1.jsonl --json > difference.json
    """
    from rich.console import Console

    from emocal_rl.benchmarks.statistics.paired import compare_paired
    from emocal_rl.benchmarks.statistics.pairing import pair_predictions
    from emocal_rl.benchmarks.vecbench.judgement import judge
    from emocal_rl.benchmarks.vecbench.outcomes import collect
    from emocal_rl.cli.live import open_view
    from emocal_rl.platform.data.vecbench import read_predictions

    with open_view(Console(stderr=True)) as progress:
        progress.phase("reading predictions")
        pairs = pair_predictions(list(read_predictions(first)), list(read_predictions(second)))
        models = [collect(judge(pair[side]) for pair in pairs) for side in (0, 1)]
        comparison = compare_paired(*models, num_resamples=bootstrap, seed=seed, num_bins=bins, progress=progress)
    if as_json:
        typer.echo(json.dumps({"first": first, "second": second, **asdict(comparison)}, indent=2, allow_nan=False))
        return
    _print(comparison)


def _print(comparison: "PairedComparison") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from emocal_rl.cli.whole_table import print_whole

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for title in ("A", "B", "B - A", f"{100 * comparison.level:g} % interval"):
        table.add_column(title, justify="right", no_wrap=True)
    scopes = {**comparison.groups, "Overall": comparison.overall}
    for scope, row in scopes.items():
        table.add_row(f"{scope} ({row.num_samples}, both stated {row.num_stated})", style="bold")
        for name, title in _SHOWN.items():
            metric = row.metrics[name]
            interval = metric.interval
            shown = "–" if interval is None else f"{100 * interval.lower:+.2f} … {100 * interval.upper:+.2f}"
            cells = [_percent(metric.first), _percent(metric.second), _percent(metric.difference, sign="+"), shown]
            real = interval is not None and not interval.lower <= 0 <= interval.upper
            table.add_row(f"  {title}", *cells, style=None if real else "dim")
        table.add_section()
    console = Console()
    print_whole(table, console)
    for scope, row in scopes.items():
        console.print(f"{scope}: {_mcnemar(row)}", highlight=False)


def _percent(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{100 * value:{sign}.2f}"


def _mcnemar(row: "PairedRow") -> str:
    counts = f"only A right {row.only_first_right}, only B right {row.only_second_right}"
    return f"{counts}; McNemar p = {row.mcnemar_p:.3g}"
