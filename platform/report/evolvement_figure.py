from collections.abc import Mapping

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emocal_rl.platform.report.palette import SERIES, STYLE

Evolvement = Mapping[str, Mapping[str, Mapping[str, float | None]]]
"""Model (in the order of the stages) to group of tasks to accuracy, ece, brier in percent."""

_PANELS = {
    "accuracy": "Accuracy (higher is better)",
    "ece": "ECE (lower is better)",
    "brier": "Brier (lower is better)",
}


def evolvement_figure(models: Evolvement, published: Evolvement | None = None) -> Figure:
    """Draw how accuracy and calibration change from model to model (the paper's Table 6), the published ones dashed."""
    groups = list(dict.fromkeys(group for row in models.values() for group in row))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 3.6))
        places = figure.subplots(1, len(_PANELS))
        for axes, (metric, title) in zip(places, _PANELS.items(), strict=True):
            for group, colour in zip(groups, SERIES, strict=False):
                _draw_line(axes, models, group, metric, colour, label=group)
                if published:
                    known = {name: published.get(name, {}) for name in models}
                    _draw_line(axes, known, group, metric, colour, label=None)
            axes.set_xticks(range(len(models)), list(models), rotation=20 if len(models) > 3 else 0)
            axes.set(title=title, xlim=(-0.3, len(models) - 0.7))
            axes.grid(visible=False, axis="x")
        places[0].set_ylabel("percent")
        handles, labels = places[0].get_legend_handles_labels()
        if published:
            handles.append(mpl.lines.Line2D([], [], color="grey", linestyle=(0, (3, 2)), linewidth=1.2))
            labels.append("published")
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        return figure


def _draw_line(axes: Axes, models: Evolvement, group: str, metric: str, colour: str, *, label: str | None) -> None:
    values = [row.get(group, {}).get(metric) for row in models.values()]
    points = [(index, value) for index, value in enumerate(values) if value is not None]
    places, heights = zip(*points, strict=True) if points else ((), ())
    if label:
        axes.plot(places, heights, color=colour, marker="o", markersize=5, label=label)
    else:
        axes.plot(
            places, heights, color=colour, marker="D", markersize=3.2, alpha=0.6, linewidth=1.2, linestyle=(0, (3, 2))
        )
