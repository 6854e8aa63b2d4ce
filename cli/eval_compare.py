import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emocal_rl.cli.eval_options import IntervalsOption, ModelsArgument, SeedOption
from emocal_rl.cli.options import JsonOption, local_only

if TYPE_CHECKING:
    from emocal_rl.platform.report.results.table import ResultTable


class TableFormat(StrEnum):
    """How a table is written."""

    MARKDOWN = "markdown"
    LATEX = "latex"
    HTML = "html"
    TEXT = "text"


TableOption = Annotated[
    list[int] | None, typer.Option(min=2, max=6, help="The paper's table, 2 to 6; repeatable. Without it all.")
]
FormatOption = Annotated[TableFormat, typer.Option("--format", help="How the tables are written.")]
PublishedOption = Annotated[bool, typer.Option(help="Show the paper's own rows.")]
OutOption = Annotated[
    Path | None, typer.Option(metavar="FILE", callback=local_only, help="Write into this file instead of to stdout.")
]


def compare(
    files: ModelsArgument,
    table: TableOption = None,
    format_: FormatOption = TableFormat.TEXT,
    published: PublishedOption = True,
    bootstrap: IntervalsOption = 2000,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
    out: OutOption = None,
) -> None:
    """Put models into the paper's tables, beside all of its baselines.

    The best of a column is bold (* in text), the second best underlined (+).
    Files of one NAME are one model: shards where their samples differ, repeats
    where they have the same samples again.
    Published rows stand only beside predictions on VECBench itself.

    Examples:
      emocal-rl eval compare predictions.jsonl --table 2
      emocal-rl eval compare cold=before.jsonl rl=after.jsonl --table 5 --format latex --out table5.tex
      emocal-rl eval compare rl=seed-0.jsonl rl=seed-1.jsonl rl=seed-2.jsonl --no-published
    """
    from rich.console import Console

    from emocal_rl.benchmarks.vecbench.comparison import compare as lay_out
    from emocal_rl.benchmarks.vecbench.comparison import has_tasks, score_model
    from emocal_rl.benchmarks.vecbench.prediction_sets import read_prediction_sets
    from emocal_rl.benchmarks.vecbench.published import TABLE_NUMBERS
    from emocal_rl.cli.live import open_view
    from emocal_rl.platform.errors import UserError
    from emocal_rl.platform.runs.atomic import write_text

    with open_view(Console(stderr=True)) as progress:
        sets = read_prediction_sets(files, progress)
        models = [score_model(each, progress, num_resamples=bootstrap, seed=seed) for each in sets]
    numbers = [number for number in table or TABLE_NUMBERS if has_tasks(number, models)]
    if not numbers:
        wanted = ", ".join(map(str, table or TABLE_NUMBERS))
        rule = "the predictions have no task of this table"
        raise UserError("--table", wanted, rule=rule, fix="Choose another table, or check the rows' tasks.")
    tables = [lay_out(number, models, with_published=published) for number in numbers]
    text = _json(tables) if as_json else _write(tables, format_)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, text)
    except OSError as error:
        rule = f"cannot be written: {error.strerror}"
        raise UserError("--out", str(out), rule=rule, fix="Choose another file.") from error


def _json(tables: "list[ResultTable]") -> str:
    return json.dumps([asdict(table) for table in tables], indent=2, allow_nan=False) + "\n"


def _write(tables: "list[ResultTable]", format_: TableFormat) -> str:
    match format_:
        case TableFormat.MARKDOWN:
            from emocal_rl.platform.report.results.markdown import write_markdown as write
        case TableFormat.LATEX:
            from emocal_rl.platform.report.results.latex import write_latex as write
        case TableFormat.HTML:
            from emocal_rl.platform.report.results.page import write_html as write
        case TableFormat.TEXT:
            from emocal_rl.platform.report.results.text import write_text as write
    return write(tables)
