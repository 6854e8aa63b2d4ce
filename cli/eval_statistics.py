import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from emocal_rl.cli.eval_options import BinsOption, FilesArgument
from emocal_rl.cli.options import JsonOption

if TYPE_CHECKING:
    from emocal_rl.benchmarks.statistics.confidence_statistics import ConfidenceStatistics
    from emocal_rl.benchmarks.statistics.per_class import ClassRow


def statistics(
    files: FilesArgument,
    tasks: Annotated[bool, typer.Option("--tasks", help="Also show every task, which --json always has.")] = False,
    classes: Annotated[bool, typer.Option("--classes", help="Also precision, recall and F1 of every label.")] = False,
    bins: BinsOption = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws behind `if exact`.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Look closer at the confidences: calibration errors, the Brier score's terms, selective prediction.

    Read as in `eval score`; over the samples with a valid confidence. In percent:
      ECE           and what it would show at most (97.5 %) if every confidence
                    were exact; without its bias; with bins of equal mass
      smooth ECE    no bins: Błasiok & Nakkiran 2023      MCE  the worst bin
      Brier         = reliability - resolution + uncertainty + what bins hide
      AURC, E-AURC  area under the risk-coverage curve, and above the best order
      Acc @ 50 %    accuracy on the half with the highest confidence

    Examples:
      emocal-rl eval statistics predictions.jsonl
      emocal-rl eval statistics predictions.jsonl --tasks --classes
      emocal-rl eval statistics shard-*.jsonl --classes --json > statistics.json
    """
    from rich.console import Console

    from emocal_rl.benchmarks.statistics.confidence_statistics import confidence_statistics
    from emocal_rl.benchmarks.statistics.per_class import per_class
    from emocal_rl.benchmarks.vecbench.scoring import score_files
    from emocal_rl.cli.live import open_view

    with open_view(Console(stderr=True)) as progress:
        outcomes = score_files(files, ["strict"], progress).outcomes["strict"]
    scopes = {**outcomes.by_task(), **outcomes.by_group(), "Overall": outcomes}
    found = {name: confidence_statistics(part, num_bins=bins, seed=seed) for name, part in scopes.items()}
    rows = per_class(outcomes) if classes else []
    if as_json:
        shown = {
            "statistics": {name: None if part is None else asdict(part) for name, part in found.items()},
            **({"classes": [asdict(row) for row in rows]} if classes else {}),
        }
        typer.echo(json.dumps(shown, indent=2, allow_nan=False))
        return
    named = [*(outcomes.by_task() if tasks else ()), *outcomes.by_group(), "Overall"]
    _print_statistics({name: found[name] for name in named})
    if classes:
        _print_classes(rows)


def _print_statistics(found: "Mapping[str, ConfidenceStatistics | None]") -> None:
    columns = {name: part for name, part in found.items() if part is not None}
    if not columns:
        typer.echo("No response states a valid confidence.")
        return
    rows = [_figures(part) for part in columns.values()]
    _print_table(["", *columns], [[title, *(row[title] for row in rows)] for title in rows[0]])


def _figures(part: "ConfidenceStatistics") -> dict[str, str]:
    terms = part.decomposition
    percents = {
        "ECE": part.ece,
        "  if exact, at most": part.ece_if_calibrated,
        "  debiased": part.ece_debiased,
        "  equal mass": part.ece_equal_mass,
        "smooth ECE": part.ece_smooth,
        "MCE": part.mce,
        "Brier": part.brier,
        "  reliability": terms.reliability,
        "  reliability debiased": terms.reliability_debiased,
        "  resolution": terms.resolution,
        "  uncertainty": terms.uncertainty,
        "  within bins": terms.within_bin_variance - terms.within_bin_covariance,
        "AURC": part.aurc,
        "E-AURC": part.e_aurc,
        **{f"Acc @ {100 * share:g} %": accuracy for share, accuracy in part.accuracy_at_coverage.items()},
    }
    return {"stated": f"{part.num_stated} / {part.num_samples}"} | {
        title: f"{100 * value:.2f}" for title, value in percents.items()
    }


def _print_classes(rows: "Sequence[ClassRow]") -> None:
    titles = ["Task", "Label", "n", "Answered", "Precision", "Recall", "F1", "Mean conf."]
    shown = []
    for row in rows:
        percents = [row.precision, row.recall, row.f1, row.mean_confidence]
        cells = ["–" if value is None else f"{100 * value:.2f}" for value in percents]
        shown.append([row.task, row.label, str(row.num_samples), str(row.num_answers), *cells])
    _print_table(titles, shown)


def _print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from emocal_rl.cli.plain_text import plain_text
    from emocal_rl.cli.whole_table import print_whole

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        left = title in ("", "Task", "Label")
        table.add_column(plain_text(title), justify="left" if left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(plain_text, row))
    print_whole(table, Console())
