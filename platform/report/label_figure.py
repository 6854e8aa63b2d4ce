"""The histogram of stage 2's confidence labels: right and wrong answers, stacked."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emocal_rl.platform.report.palette import AFTER, BEFORE, STYLE

_BAR = 0.92
"""Share of a bin's width its bar fills."""


def draw_label_histogram(right: Sequence[int], wrong: Sequence[int]) -> Figure:
    """Draw how many responses got which c*; both are counts in the same equal bins over [0, 1]."""
    lower = [index / len(right) for index in range(len(right))]
    width = _BAR / len(right)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.6))
        axes = figure.subplots()
        axes.bar(lower, wrong, width, align="edge", color=BEFORE, label=f"wrong ({sum(wrong):,})")
        axes.bar(lower, right, width, align="edge", bottom=wrong, color=AFTER, label=f"right ({sum(right):,})")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlim=(0, 1), xlabel="confidence label c*", ylabel="responses", title="Confidence labels (equation 2)")
        axes.legend(loc="upper left")
        return figure
