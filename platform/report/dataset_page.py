"""Dataset pages: the statistics of a corpus, and a browser of its samples. One file each, works offline."""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.samples import Example, sample_of
from emocal_rl.platform.data.sources import TABLE_1_SOURCES, column_order
from emocal_rl.platform.data.statistics import StageStatistics, summarize
from emocal_rl.platform.report.browser import thumbnail
from emocal_rl.platform.report.dataset_figures import corpus_svgs
from emocal_rl.platform.report.page import json_for_script, render_page, svg_uri


def render_statistics(stages: Sequence[StageStatistics], unit: str) -> str:
    """Render Table 1, the distributions and the figures."""
    columns = column_order({source for stage in stages for source in stage.sources})
    distributions = [
        (stage.name, title, summarize(values))
        for stage in stages
        for title, values in (
            (f"question, {unit}", stage.question_lengths),
            (f"response, {unit}", stage.response_lengths),
            ("image, pixels", stage.pixels),
        )
    ]
    return render_page(
        "dataset.html.jinja",
        "dataset.js",
        {"count": _count},
        title="Corpus",
        subtitle=f"{sum(stage.num_rows for stage in stages):,} rows",
        columns=[(source, TABLE_1_SOURCES.get(source, source)) for source in columns],
        stages=stages,
        distributions=[row for row in distributions if row[2] is not None],
        figures=[(title, svg_uri(svg)) for title, svg in corpus_svgs(stages, unit).items()],
        samples="",
    )


def render_samples(
    name: str, examples: Sequence[Example], num_rows: int, load_image: Callable[[str], bytes | None]
) -> str:
    """Render a browser of `examples`, which were drawn from a file of `num_rows` rows."""
    return render_page(
        "dataset.html.jinja",
        "dataset.js",
        {"count": _count},
        title=name,
        subtitle=f"{len(examples):,} of {num_rows:,} rows",
        columns=[],
        stages=[],
        distributions=[],
        figures=[],
        samples=json_for_script([_shown(example, load_image) for example in examples]),
    )


def draw_sample(examples: Iterable[Example], size: int, seed: int) -> tuple[list[Example], int]:
    """Return `size` examples drawn evenly from a stream, in its order, and the stream's length."""
    random_ = random.Random(seed)
    kept: list[tuple[int, Example]] = []
    num_rows = 0
    for num_rows, example in enumerate(examples, start=1):
        if len(kept) < size:
            kept.append((num_rows, example))
        elif (place := random_.randrange(num_rows)) < size:
            kept[place] = (num_rows, example)
    return [example for _, example in sorted(kept, key=lambda item: item[0])], num_rows


def _shown(example: Example, load_image: Callable[[str], bytes | None]) -> dict[str, Any]:
    sample = sample_of(example)
    response, spans, on_end = None, None, True
    if not isinstance(example, Sample):
        response, spans, on_end = example.response, example.loss_spans, example.loss_on_end
    return {
        "id": sample.id,
        "line": sample.line,
        "task": sample.task,
        "label": sample.label,
        "system": sample.system,
        "question": sample.question,
        "candidates": sample.candidates,
        "images": [
            {"source": thumbnail(load_image(image)), "reference": "embedded" if image.startswith("data:") else image}
            for image in sample.images
        ],
        "response": response,
        "spans": spans,
        "loss_on_end": on_end,
    }


def _count(value: float) -> str:
    return f"{value:,.0f}"
