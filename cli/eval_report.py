from pathlib import Path
from typing import Annotated

import typer

from emocal_rl.cli.eval_options import IntervalsOption, ModelsArgument
from emocal_rl.cli.options import ImageRootOption, local_only


def report(
    files: ModelsArgument,
    out: Annotated[
        Path, typer.Option(metavar="DIR", callback=local_only, help="Folder for report.html and the pictures.")
    ],
    group: Annotated[
        str | None, typer.Option(metavar="GROUP", help="Only the tasks of one group: ID VSA, ID VER or OOD VER.")
    ] = None,
    cases: Annotated[int, typer.Option(min=0, max=100_000, help="Samples in the case browser.")] = 300,
    bootstrap: IntervalsOption = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples, and of the cases that are shown.")] = 0,
    image_root: ImageRootOption = None,
) -> None:
    """Draw models' evaluations: one report.html that works offline, and every picture as PNG and SVG.

    Reliability diagrams, confidence histograms, risk-coverage curves, confusion
    matrices along the emotion ring, the change from model to model (give them in
    the order of their stages), the paper's tables, and a browser of cases:
    image, reasoning, answer, confidence and truth, with filters.
    Files of one NAME are one model: shards where their samples differ, repeats
    where they have the same samples again; repeats give the histograms' bars.

    Examples:
      emocal-rl eval report predictions.jsonl --out report/
      emocal-rl eval report cold_start=before.jsonl calibrated=after.jsonl --group "ID VER" --out figure-6/
      emocal-rl eval report rl=seed-0.jsonl rl=seed-1.jsonl rl=seed-2.jsonl --out report/
    """
    from rich.console import Console

    from emocal_rl.benchmarks.vecbench.comparison import score_model
    from emocal_rl.benchmarks.vecbench.evaluation_report import build_evaluation, of_group
    from emocal_rl.benchmarks.vecbench.prediction_sets import read_prediction_sets
    from emocal_rl.benchmarks.vecbench.tasks import GROUPS
    from emocal_rl.cli.live import open_view
    from emocal_rl.platform.data.images import ImageLimits
    from emocal_rl.platform.errors import UserError, nearest
    from emocal_rl.platform.report.evaluation_page import write_evaluation
    from emocal_rl.platform.report.images import loader_within

    if group is not None and group not in GROUPS:
        rule = f"must be one of: {', '.join(GROUPS)}"
        raise UserError("--group", group, rule=rule, fix=nearest(group.upper(), GROUPS))
    with open_view(Console(stderr=True)) as progress:
        sets = read_prediction_sets(files, progress, image_root=image_root)
        if group is not None:
            sets = [of_group(each, group) for each in sets]
        models = [score_model(each, progress, num_resamples=bootstrap, seed=seed) for each in sets]
        evaluation = build_evaluation(
            sets, models, progress, num_cases=cases, load_image=loader_within(ImageLimits()), seed=seed
        )
        progress.phase("drawing")
        try:
            written = write_evaluation(evaluation, out)
        except OSError as error:
            rule = f"cannot be written: {error.strerror}"
            raise UserError("--out", str(out), rule=rule, fix="Choose another folder.") from error
    for path in written:
        typer.echo(str(path))
