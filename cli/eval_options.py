"""Arguments and options that the commands on prediction files share."""

from typing import Annotated

import typer

FilesArgument = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Prediction JSONL (.gz, .zst) or Parquet: paths or fsspec URLs, merged."),
]
ModelsArgument = Annotated[
    list[str],
    typer.Argument(metavar="[NAME=]FILE...", help="Each model's prediction JSONL (.gz, .zst) or Parquet: paths, URLs."),
]
BinsOption = Annotated[int, typer.Option(min=2, max=100, help="Bins of equal width of the calibration errors.")]
IntervalsOption = Annotated[
    int, typer.Option("--bootstrap", metavar="N", min=0, max=100_000, help="Resamples of 95 % intervals; 0 for none.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the resamples.")]
