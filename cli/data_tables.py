"""What `data` prints of a corpus."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.whole_table import print_whole
from emocal_rl.platform.data.sources import TABLE_1_SOURCES, column_order
from emocal_rl.platform.data.split import Split
from emocal_rl.platform.data.statistics import StageStatistics, summarize


def print_corpus(stages: Sequence[StageStatistics], unit: str, console: Console | None = None) -> None:
    """Print rows by stage and source (Table 1 of the paper) and the distributions of lengths and pixels."""
    console = console or Console()
    print_whole(_counts_table([(stage.name, dict(stage.sources)) for stage in stages]), console)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("Stage", "Of"):
        table.add_column(title, no_wrap=True)
    for title in ("count", "min", "p5", "median", "mean", "p95", "max"):
        table.add_column(title, justify="right", no_wrap=True)
    for stage in stages:
        measured = {
            f"question, {unit}": stage.question_lengths,
            f"response, {unit}": stage.response_lengths,
            "image, pixels": stage.pixels,
        }
        for title, values in measured.items():
            if (summary := summarize(values)) is not None:
                table.add_row(stage.name, title, *(f"{value:,.0f}" for value in summary.values()))
    print_whole(table, console)
    for stage in stages:
        missing = stage.num_images - len(stage.pixels)
        if stage.pixels and missing:
            console.print(f"{stage.name}: {missing:,} of {stage.num_images:,} images could not be read.")


def print_split(split: Split, console: Console | None = None) -> None:
    """Print rows by stage and source, and where images in several rows kept a count from what was due."""
    console = console or Console()
    rows = [
        (f"stage-{stage}", {source: counts[stage - 1] for source, counts in split.counts.items()})
        for stage in (1, 2, 3)
    ]
    print_whole(_counts_table(rows), console)
    if split.num_shared_images:
        console.print(f"{split.num_shared_images:,} images stand in more than one row; each is in one stage.")
    for source, counts in split.counts.items():
        if counts != split.due[source]:
            console.print(
                f"{source}: {counts} rows instead of {split.due[source]}, because of shared images.", markup=False
            )
    for file in split.files:
        console.print(file, soft_wrap=True, markup=False, highlight=False)


def _counts_table(rows: Sequence[tuple[str, dict[str, int]]]) -> Table:
    sources = column_order({source for _, counts in rows for source in counts})
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_footer=len(rows) > 1)
    table.add_column("Stage", no_wrap=True, footer="total")
    totals = {source: sum(counts.get(source, 0) for _, counts in rows) for source in sources}
    for source in sources:
        title = TABLE_1_SOURCES.get(source, source)
        table.add_column(title, justify="right", no_wrap=True, footer=f"{totals[source]:,}")
    table.add_column("Total", justify="right", no_wrap=True, footer=f"{sum(totals.values()):,}")
    for name, counts in rows:
        values = [f"{counts.get(source, 0):,}" for source in sources]
        table.add_row(name, *values, f"{sum(counts.values()):,}")
    return table
