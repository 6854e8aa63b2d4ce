from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from emocal_rl.platform.report.palette import SERIES, STYLE


@dataclass(frozen=True)
class RiskCoverage:
    """One model's curve: share of samples answered, and share of errors among them; `aurc` is the area below it."""

    label: str
    coverage: Sequence[float]
    risk: Sequence[float]
    aurc: float


def risk_coverage_figure(curves: Sequence[RiskCoverage]) -> Figure:
    """Draw how the error falls when only the answers with the highest stated confidence are given."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.6, 4.4))
        axes = figure.subplots()
        top = max((max(curve.risk) for curve in curves), default=1.0)
        for index, curve in enumerate(curves):
            colour, label = SERIES[index % len(SERIES)], f"{curve.label}  (AURC {curve.aurc:.3f})"
            marker = "o" if len(curve.coverage) <= 40 else None
            axes.plot(curve.coverage, curve.risk, color=colour, label=label, marker=marker, markersize=3.2)
        axes.set(
            xlim=(0, 1.005),
            ylim=(0, min(1.0, max(0.05, top * 1.12))),
            xlabel="coverage: share of the stated confidences",
        )
        axes.set(ylabel="risk: share of errors among them", title="Risk and coverage")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend(loc="best")
        return figure
