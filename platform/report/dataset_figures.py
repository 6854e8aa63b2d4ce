"""What a corpus looks like: one SVG text, from `StageStatistics` in."""

import io
from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emocal_rl.platform.data.sources import TABLE_1_SOURCES, column_order
from emocal_rl.platform.data.statistics import StageStatistics
from emocal_rl.platform.report.palette import SERIES, STYLE, to_svg

_LABEL_COLUMNS = 3


def draw_corpus(stages: Sequence[StageStatistics], unit: str) -> Figure:
    """Draw rows by source and stage, the lengths (in `unit`) of questions and responses, and the images' pixels."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 5.6))
        axes = figure.subplots(2, 2)
        _draw_sources(axes[0, 0], stages)
        _draw_distribution(axes[0, 1], stages, lambda stage: stage.response_lengths, f"Response length, {unit}")
        _draw_distribution(axes[1, 0], stages, lambda stage: stage.question_lengths, f"Question length, {unit}")
        _draw_distribution(axes[1, 1], stages, lambda stage: stage.pixels, "Image size, megapixels", scale=1e-6)
        return figure


def draw_labels(stages: Sequence[StageStatistics]) -> Figure:
    """Draw the share of each label, one panel for each source, all stages together."""
    counts = {source: _labels_of(stages, source) for source in _sources(stages)}
    num_rows = -(-len(counts) // _LABEL_COLUMNS)
    heights = [max(3, max(map(len, list(counts.values())[i * 3 : i * 3 + 3]))) for i in range(num_rows)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 0.6 * num_rows + 0.17 * sum(heights)))
        axes = figure.subplots(num_rows, _LABEL_COLUMNS, squeeze=False, height_ratios=heights).ravel()
        for panel, (source, labels) in zip(axes, counts.items(), strict=False):
            panel.barh(list(labels), [count / sum(labels.values()) for count in labels.values()], color=SERIES[0])
            panel.set(title=_title(source), ylim=(len(labels) - 0.4, -0.6))
            panel.xaxis.set_major_formatter(mpl.ticker.PercentFormatter(1, decimals=0))
            panel.grid(visible=False, axis="y")
        for panel in axes[len(counts) :]:
            panel.set_axis_off()
        return figure


def corpus_png(stages: Sequence[StageStatistics], unit: str) -> bytes:
    """Return the first figure as a PNG file."""
    with mpl.rc_context(STYLE):
        file = io.BytesIO()
        draw_corpus(stages, unit).savefig(file, format="png", dpi=160)
        return file.getvalue()


def corpus_svgs(stages: Sequence[StageStatistics], unit: str) -> dict[str, str]:
    """Return title -> SVG text of both figures."""
    with mpl.rc_context(STYLE):
        return {"Corpus": to_svg(draw_corpus(stages, unit)), "Labels": to_svg(draw_labels(stages))}


def _draw_sources(axes: Axes, stages: Sequence[StageStatistics]) -> None:
    """Draw grouped bars: one group for each source, one bar for each stage."""
    sources = _sources(stages)
    width = 0.8 / len(stages)
    for index, (stage, colour) in enumerate(zip(stages, _colours(stages), strict=True)):
        places = np.arange(len(sources)) + (index - (len(stages) - 1) / 2) * width
        axes.bar(places, [stage.sources[source] for source in sources], width, color=colour, label=stage.name)
    axes.set_xticks(range(len(sources)), [_title(source) for source in sources], rotation=30, ha="right")
    axes.set_title("Rows by source")
    axes.grid(visible=False, axis="x")
    if len(stages) > 1:
        axes.legend()


def _draw_distribution(
    axes: Axes,
    stages: Sequence[StageStatistics],
    values_of: Callable[[StageStatistics], Sequence[int]],
    title: str,
    scale: float = 1.0,
) -> None:
    """Draw each stage's share by bin; the bins are common, and end at the 99.5th percentile."""
    found = [np.asarray(values_of(stage), dtype=float) * scale for stage in stages]
    axes.set_title(title)
    together = np.concatenate(found)
    if not len(together):
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", va="center")
        return
    edges = np.linspace(together.min(), max(np.quantile(together, 0.995), together.min() + scale), 41)
    for values, stage, colour in zip(found, stages, _colours(stages), strict=True):
        if len(values):
            weights = np.full(len(values), 1 / len(values))
            axes.hist(
                values, edges.tolist(), weights=weights, histtype="step", color=colour, linewidth=1.6, label=stage.name
            )
    axes.yaxis.set_major_formatter(mpl.ticker.PercentFormatter(1, decimals=0))


def _colours(stages: Sequence[StageStatistics]) -> list[str]:
    return [SERIES[index % len(SERIES)] for index in range(len(stages))]


def _sources(stages: Sequence[StageStatistics]) -> list[str]:
    return column_order({source for stage in stages for source in stage.sources})


def _labels_of(stages: Sequence[StageStatistics], source: str) -> dict[str, int]:
    total: dict[str, int] = {}
    for stage in stages:
        for label, count in stage.labels.get(source, {}).items():
            total[label] = total.get(label, 0) + count
    return dict(sorted(total.items(), key=lambda item: -item[1]))


def _title(source: str) -> str:
    return TABLE_1_SOURCES.get(source, source)
