import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocal_rl.cli.eval_options import BinsOption, FilesArgument, IntervalsOption, SeedOption
from emocal_rl.cli.options import JsonOption, local_only

if TYPE_CHECKING:
    from emocal_rl.benchmarks.vecbench.explain import Explanation
    from emocal_rl.benchmarks.vecbench.scoring import Scores
    from emocal_rl.platform.progress import Progress

app = typer.Typer(help="Score predictions, and set models side by side.", no_args_is_help=True)

_PROTOCOLS = ("strict", "paper", "official")
_ELICITATIONS = ("verb", "ans", "avg")
_QUICK_BYTES = 32 << 20
"""Local files of no more are read before a progress bar could tell anything."""
_QUICK_DRAWS = 2_000_000
"""Rows times resamples: no more are drawn within a second."""


BenchOption = Annotated[
    str | None,
    typer.Option(metavar="vecbench|eemo|mvei|FILE.py:CLASS", help="Whose they are; else as the rows say."),
]
ProtocolOption = Annotated[
    str, typer.Option(metavar="|".join(_PROTOCOLS), help="How responses are read and numbers formed.")
]
ElicitationOption = Annotated[
    str, typer.Option(metavar="|".join(_ELICITATIONS), help="Confidences as stated (verb), or by token probabilities.")
]
ExplainOption = Annotated[
    bool, typer.Option("--explain", help="Show the protocols side by side, and the rows they read differently.")
]
OutOption = Annotated[
    Path | None, typer.Option(metavar="DIR", callback=local_only, help="Folder for the files named above.")
]


@app.command()
def score(
    files: FilesArgument,
    bench: BenchOption = None,
    protocol: ProtocolOption = "strict",
    elicitation: ElicitationOption = "verb",
    bins: BinsOption = 10,
    bootstrap: IntervalsOption = 0,
    seed: SeedOption = 0,
    explain: ExplainOption = False,
    as_json: JsonOption = False,
    out: OutOption = None,
) -> None:
    """Score predictions; on VECBench accuracy, F1, ECE, Brier, AUC per task, per group and overall.

    A row is a VECBench row with the model's `response`; a failed inference
    is {"original_data": ROW, "error": TEXT}. Protocols:
      strict    An answer is a label or one of its aliases, a confidence a plain
                number in [0, 1]; anything else is counted by its reason, a
                failed inference as wrong. --elicitation ans and avg take the
                confidences by token probabilities that `eval run` writes.
                --bins and --bootstrap are for strict.
      paper     Read as strict; numbers formed as in the paper's tables.
      official  The released evaluator to the printed decimal, traps included.

    Rows of another suite say so by their key `bench`; --bench names a suite of
    yours. They are scored as `eval run` does, without the options of VECBench.

    --out DIR gets PROTOCOL.json (BENCH.json); strict: reliability.svg;
    official: metric.log and metric_conf.log; --explain: disagreements.jsonl.

    Examples:
      emocal-rl eval score predictions.jsonl --bootstrap 2000
      emocal-rl eval score shard-*.jsonl --json > metrics.json
      emocal-rl eval score s3://bucket/run-7.jsonl.zst --protocol official --out scores/
      emocal-rl eval score predictions.jsonl --explain
    """
    from emocal_rl.benchmarks.vecbench.explain import Explanation
    from emocal_rl.cli.eval_suite import score_suite, suite_of

    _check(protocol, bins, bootstrap, elicitation, explain=explain)
    if (suite := suite_of(files, bench)) is not None:
        score_suite(files, suite, protocol, elicitation, bins, bootstrap, explain=explain, as_json=as_json, out=out)
        return
    explanation = Explanation() if explain else None
    scores = _score(files, protocol, bins, explanation, out, elicitation)
    report = scores.reports[protocol].to_dict()
    if bootstrap:
        report["intervals"] = _intervals(scores, bootstrap, seed, bins)
    if out is not None:
        _write(scores, report, out)
    if as_json:
        if explanation is not None:
            report["explanation"] = {
                "reports": {name: other.to_dict() for name, other in scores.reports.items()}, **explanation.to_dict()
            }  # fmt: skip
        typer.echo(json.dumps(report, indent=2, allow_nan=False))
        return
    _print(report, scores, explanation)


def _check(protocol: str, bins: int, bootstrap: int, elicitation: str, *, explain: bool) -> None:
    from emocal_rl.platform.errors import UserError, nearest

    if protocol not in _PROTOCOLS:
        rule = f"must be one of: {', '.join(_PROTOCOLS)}"
        raise UserError("--protocol", protocol, rule=rule, fix=nearest(protocol.lower(), _PROTOCOLS))
    if protocol != "strict" and bins != 10:
        raise UserError("--bins", bins, rule=f"the {protocol} protocol has 10", fix="Leave it out, or score strict.")
    if protocol != "strict" and bootstrap:
        raise UserError("--bootstrap", bootstrap, rule="intervals are of strict", fix="Leave it out, or score strict.")
    if elicitation not in _ELICITATIONS:
        rule = f"must be one of: {', '.join(_ELICITATIONS)}"
        raise UserError("--elicitation", elicitation, rule=rule, fix=nearest(elicitation.lower(), _ELICITATIONS))
    if elicitation != "verb" and (protocol != "strict" or explain):
        rule = "the other protocols know stated confidences alone"
        raise UserError("--elicitation", elicitation, rule=rule, fix="Leave it out, or score strict without --explain.")


def _score(
    files: Sequence[str],
    protocol: str,
    bins: int,
    explanation: "Explanation | None",
    out: Path | None,
    elicitation: str,
) -> "Scores":
    from emocal_rl.benchmarks.vecbench.scoring import score_files

    with ExitStack() as stack:
        progress = stack.enter_context(_progress(is_long=_are_large(files)))
        if explanation is None:
            return score_files(files, [protocol], progress, num_bins=bins, elicitation=elicitation)
        written = explanation.writing(str(out / "disagreements.jsonl")) if out else nullcontext(explanation.add)
        return score_files(
            files, _PROTOCOLS, progress, num_bins=bins, on_disagreements=stack.enter_context(written)
        )  # fmt: skip


def _intervals(scores: "Scores", num_resamples: int, seed: int, bins: int) -> dict[str, Any]:
    from emocal_rl.benchmarks.statistics.interval_table import interval_table

    outcomes = scores.outcomes["strict"]
    with _progress(is_long=len(outcomes) * num_resamples > _QUICK_DRAWS) as progress:
        table = interval_table(outcomes, num_resamples=num_resamples, seed=seed, num_bins=bins, progress=progress)
    return asdict(table)


def _are_large(files: Sequence[str]) -> bool:
    from emocal_rl.platform.data.location import is_url

    num_bytes = sum(Path(file).stat().st_size for file in files if Path(file).is_file())
    return num_bytes > _QUICK_BYTES or any(map(is_url, files))


def _progress(*, is_long: bool) -> "AbstractContextManager[Progress]":
    """Return a display on stderr for work that takes a while."""
    from emocal_rl.platform.progress import SilentProgress

    if not is_long:
        return nullcontext(SilentProgress())
    from rich.console import Console

    from emocal_rl.cli.live import open_view

    return open_view(Console(stderr=True))


def _print(report: dict[str, Any], scores: "Scores", explanation: "Explanation | None") -> None:
    from emocal_rl.cli.score_table import print_scores, print_table_report

    (print_scores if report["protocol"] == "strict" else print_table_report)(report)
    if explanation is not None:
        from emocal_rl.cli.explain_table import print_explanation

        print_explanation({name: other.to_dict() for name, other in scores.reports.items()}, explanation)


def _write(scores: "Scores", report: dict[str, Any], directory: Path) -> None:
    from emocal_rl.benchmarks.vecbench.official_log import write_logs
    from emocal_rl.platform.errors import UserError

    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{report['protocol']}.json").write_text(json.dumps(report, indent=2, allow_nan=False) + "\n")
        if report["protocol"] == "strict":
            (directory / "reliability.svg").write_text(_reliability(report))
        if report["protocol"] == "official":
            write_logs(scores.outcomes["official"], scores.outcomes["official_overall"], directory)
    except OSError as error:
        rule = f"cannot be written: {error.strerror}"
        raise UserError("--out", str(directory), rule=rule, fix="Choose another folder.") from error


def _reliability(report: dict[str, Any]) -> str:
    from emocal_rl.platform.report.calibration_figures import Panel, draw_reliability
    from emocal_rl.platform.report.palette import AFTER

    overall = report["overall"]
    title = f"{report['protocol']}, {overall['num_samples']} samples"
    return draw_reliability([Panel(title, AFTER, report["reliability"], overall["ece"])])
