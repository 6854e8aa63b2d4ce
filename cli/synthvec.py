import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emocal_rl.cli.options import DEFAULT_RECIPE, ConfigOption, JsonOption, SetOption

if TYPE_CHECKING:
    from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
    from emocal_rl.benchmarks.synthvec.oracle import Oracle
    from emocal_rl.benchmarks.synthvec.oracle_table import OracleRow

app = typer.Typer(help="SynthVEC, the synthetic world whose true probabilities are known.", no_args_is_help=True)

WorldOption = Annotated[
    Path | None,
    typer.Option("--world", metavar="DIR", help="A built world; without it the default one, built if it is missing."),
]


@app.command()
def build(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to build; default is the user's cache.")
    ] = None,
    config: ConfigOption = DEFAULT_RECIPE,
    seed: Annotated[int | None, typer.Option(help="Another seed: other images of the same distribution.")] = None,
    sets: SetOption = None,
) -> None:
    """Build the world: images, splits in the formats of VEC-CoT and VECBench, and the oracle.

    The same seed and sizes give the same world; one that is already there is
    kept. Prints the world's folder.

    Examples:
      emocal-rl synthvec build
      emocal-rl synthvec build --seed 7 --out worlds/seed-7
      emocal-rl synthvec build --set synthvec.num_test=300
    """
    typer.echo(str(_build(out, config, seed, sets or ()).directory))


@app.command()
def sheet(
    world: WorldOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="PNG", help="The image to write.")] = Path("sheet.png"),
) -> None:
    """Draw a contact sheet: test images of every task over their most probable labels.

    Examples:
      emocal-rl synthvec sheet
      emocal-rl synthvec sheet --world worlds/seed-7 --out seed-7.png
    """
    from emocal_rl.benchmarks.synthvec.contact_sheet import draw_contact_sheet
    from emocal_rl.platform.errors import UserError

    if out.suffix.lower() != ".png":
        raise UserError("--out", str(out), rule="must be a .png file")
    files = _open(world)
    truth = _load_oracle(files)
    with _one_message("--out", out):
        draw_contact_sheet(files, truth, out)
    typer.echo(str(out))


@app.command()
def oracle(world: WorldOption = None, as_json: JsonOption = False) -> None:
    """Say how well the best possible policy does on the test images of every task.

    It answers the most probable label and states its exact probability. The
    metrics are expectations under the known probabilities, so its ECE is
    zero; its Brier score is what the world leaves uncertain.

    Examples:
      emocal-rl synthvec oracle
      emocal-rl synthvec oracle --world worlds/seed-7 --json
    """
    from emocal_rl.benchmarks.synthvec.oracle_table import oracle_table

    rows = oracle_table(_load_oracle(_open(world)))
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2, allow_nan=False))
        return
    _print_oracle(rows)


@app.command()
def suite(
    bench: Annotated[str, typer.Argument(metavar="eemo|mvei", help="Whose format.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.")],
    num_images: Annotated[int, typer.Option(min=2, help="How many images it asks about.")] = 24,
    world: WorldOption = None,
) -> None:
    """Make a small data set in the format of EEmo-Bench or MVEI, of the world's own images.

    The same world and number give the same files; prints those to give
    `eval run --bench BENCH` with --data. They say nothing about the benchmark.

    Examples:
      emocal-rl synthvec suite mvei --out made-up/mvei
      emocal-rl synthvec suite eemo --out made-up/eemo --num-images 100
    """
    from emocal_rl.benchmarks.suites.made_up import write_made_up

    files = _open(world)
    with _one_message("--out", out):
        for path in write_made_up(bench, files, out, num_images):
            typer.echo(str(path))


def _build(out: Path | None, config: str | None, seed: int | None, sets: Sequence[str]) -> "SynthVECFiles":
    from emocal_rl.benchmarks.synthvec.world import build_world, world_key
    from emocal_rl.platform.cache import cache_directory
    from emocal_rl.platform.config.load import resolve_config

    world = resolve_config(config, {"synthvec.seed": seed}, sets).synthvec
    directory = out or cache_directory() / "synthvec" / world_key(world)
    with _one_message("--out", directory):
        return build_world(world, directory.absolute())


def _open(world: Path | None) -> "SynthVECFiles":
    from emocal_rl.benchmarks.synthvec.files import SynthVECFiles

    return SynthVECFiles(world) if world is not None else _build(None, DEFAULT_RECIPE, None, ())


def _load_oracle(files: "SynthVECFiles") -> "Oracle":
    from polars.exceptions import PolarsError

    from emocal_rl.benchmarks.synthvec.oracle import load_oracle
    from emocal_rl.platform.errors import UserError

    try:
        return load_oracle(files.directory)
    except (OSError, PolarsError) as error:
        fix = "Build the world again: emocal-rl synthvec build."
        raise UserError("--world", str(files.directory), rule=f"its oracle cannot be read: {error}", fix=fix) from error


@contextmanager
def _one_message(option: str, path: Path) -> Iterator[None]:
    """Turn what the file system refuses into the user's error."""
    from emocal_rl.platform.errors import UserError

    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        rule = f"cannot be read or written: {error.strerror or error}{where}"
        raise UserError(option, str(path), rule=rule, fix="Check the path and its permissions.") from error


def _print_oracle(rows: "Sequence[OracleRow]") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    columns = {"accuracy": "Accuracy", "brier": "Brier", "ece": "ECE", "auc": "AUC", "mean_confidence": "Mean conf."}
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Oracle", no_wrap=True)
    for title in (*columns.values(), "n"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        values = ["–" if (value := row.metrics[name]) is None else f"{value:.3f}" for name in columns]
        is_total = row.task.startswith("all ")
        table.add_row(row.task, *values, str(row.num_samples), style="bold" if is_total else None, end_section=is_total)
    Console().print(table)
