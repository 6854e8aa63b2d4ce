"""`eval score` of suites other than VECBench."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer


def suite_of(files: Sequence[str], bench: str | None) -> str | None:
    """Return whose predictions the files hold, None for VECBench's: as `bench` says, or the first row of each.

    A row can name only a suite that is built in: a file of data decides about no code.

    Raises:
        UserError: the row names another, or the files are of several.
    """
    from emocal_rl.benchmarks.suites.answer_files import bench_of_file
    from emocal_rl.platform.data.vecbench import PLAIN_BENCHES
    from emocal_rl.platform.errors import UserError

    if bench is None:
        named = {file: bench_of_file(file) or PLAIN_BENCHES[0] for file in files}
        first, bench = next(iter(named.items()))
        for file, other in named.items():
            if other != bench:
                rule = f"is another benchmark's than {first}, which is of {bench}"
                raise UserError(f"{file}:1 bench", other, rule=rule, fix="Score the files of each benchmark apart.")
        if ":" in bench:
            fix = f"Name it, if you trust its code: --bench {bench}"
            raise UserError(f"{first}:1 bench", bench, rule="is a suite of somebody's own", fix=fix)
    return None if bench in PLAIN_BENCHES else bench


def score_suite(
    files: Sequence[str],
    bench: str,
    protocol: str,
    elicitation: str,
    bins: int,
    bootstrap: int,
    *,
    explain: bool,
    as_json: bool,
    out: Path | None,
) -> None:
    """Score the predictions of a suite and print its report.

    Raises:
        UserError: an option goes with VECBench alone, or a file or row is not as it should be.
    """
    from rich.console import Console

    from emocal_rl.benchmarks.suites.answer_files import read_answers
    from emocal_rl.benchmarks.suites.registry import open_suite
    from emocal_rl.benchmarks.suites.suite import Scoring
    from emocal_rl.cli.live import open_view
    from emocal_rl.cli.suite_tables import print_suite_report
    from emocal_rl.platform.errors import UserError

    chosen = {
        "--protocol": (protocol, "strict"),
        "--elicitation": (elicitation, "verb"),
        "--bootstrap": (bootstrap, 0),
        "--explain": (explain, False),
    }
    for option, (value, default) in chosen.items():
        if value != default:
            raise UserError(option, value, rule=f"goes with vecbench alone, not with {bench}", fix="Leave it out.")
    suite = open_suite(bench)
    with open_view(Console(stderr=True)) as progress:
        answers = read_answers(files, progress)
    report = suite.report(answers, Scoring(bins, name=bench)).to_dict()
    text = json.dumps(report, indent=2, allow_nan=False)
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{bench.rpartition(':')[2]}.json").write_text(text + "\n")
        except OSError as error:
            rule = f"cannot be written: {error.strerror}"
            raise UserError("--out", str(out), rule=rule, fix="Choose another folder.") from error
    if as_json:
        typer.echo(text)
    else:
        print_suite_report(report)
