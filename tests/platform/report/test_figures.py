import pytest

from emocal_rl.platform.report.calibration_figures import Panel, draw_histograms, draw_reliability
from emocal_rl.platform.report.training_figures import draw_learning_curves, draw_phase_times, draw_sft_losses

BINS = [
    {"lower": 0.0, "upper": 0.5, "count": 0, "mean_confidence": None, "accuracy": None},
    {"lower": 0.5, "upper": 1.0, "count": 3, "mean_confidence": 0.8, "accuracy": 0.6},
]


@pytest.mark.parametrize(
    "svg",
    [
        draw_reliability([Panel("a", "#000000", BINS, 0.2), Panel("b", "#ff0000", [], None)]),
        draw_histograms([Panel("a", "#000000", histogram=[0, 3]), Panel("b", "#ff0000", histogram=[])]),
        draw_learning_curves([{"step": 1, "reward/total": 1.0, "rollout/ece": None}], [{"step": 1, "ece": 0.1}]),
        draw_learning_curves([{"step": 1}], []),
        draw_sft_losses([{"stage": "reasoning", "step": 1, "loss": 1.0}]),
        draw_phase_times([{"step": 1, "time/rollout_s": 1.0, "time/step_s": 2.0}]),
        draw_phase_times([{"step": 1}]),
    ],
)
def test_sparse_data_still_draws(svg: str) -> None:
    assert svg.startswith("<svg")
    assert svg.rstrip().endswith("</svg>")
