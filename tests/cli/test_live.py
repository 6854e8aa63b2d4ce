import io
import re

import pytest
from rich.console import Console

from emocal_rl.cli.live import LineView, PanelView, open_view, shown_metrics, sparkline

TRAIN = {
    "kind": "train", "step": 3, "rollout/samples_per_s": 41.23, "rollout/tokens_per_s": 2100.4, "reward/total": 0.5,
    "rollout/accuracy": 0.46, "rollout/mean_confidence": 0.6, "rollout/ece": 0.25, "rollout/brier": 0.33,
    "rollout/share_above_0.9": 0.48, "loss/kl": 0.00123, "rollout/auc": None,
}  # fmt: skip

ALARM = {
    "kind": "event", "step": 3, "name": "alarm", "alarm": "decoy", "message": "decoy at step 3: 12 % of [them]"
}  # fmt: skip


def test_metrics_in_words() -> None:
    assert "  ".join(f"{label} {text}" for label, text in shown_metrics(TRAIN).items()) == (
        "samples/s 41.2  tokens/s 2,100  reward +0.500  accuracy 0.460  mean conf. 0.600  ECE 0.250  Brier 0.330  "
        "conf. > 0.9 48%  KL 0.0012"
    )


def test_masked_responses_and_skipped_updates_are_shown_where_there_are_any() -> None:
    assert not shown_metrics({"rollout/masked": 0.0, "optimizer/skipped_updates": 0})
    trouble = shown_metrics({"rollout/masked": 12.0, "optimizer/skipped_updates": 2})
    assert trouble == {"masked": "12", "skipped updates": "2"}


def test_lines_for_a_pipe() -> None:
    stream = io.StringIO()
    with open_view(Console(file=stream, width=40)) as view:
        assert isinstance(view, LineView)
        view.phase("rollout [x]", 40)
        for _ in range(40):
            view.advance()
        view.metrics(TRAIN)
        view.metrics({"kind": "event", "name": "x"})
        view.metrics(ALARM)
        view.phase("evaluation")
        view.advance(5)
        view.message("done [bold]")
    lines = [re.sub(r"^\[ *\d+\.\d s\] ", "", line) for line in stream.getvalue().splitlines()]
    assert lines[0] == "rollout [x]: 0/40"
    assert lines[1:11] == [f"rollout [x]: {n}/40" for n in range(4, 41, 4)]
    assert lines[11].startswith("train step 3: samples/s 41.2")
    assert lines[12:] == ["ALARM decoy at step 3: 12 % of [them]", "evaluation", "done [bold]"]


def test_panel_for_a_terminal() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, height=30, color_system=None)
    with open_view(console) as view:
        assert isinstance(view, PanelView)
        view.phase("calibration", 10)
        view.advance(3)
        view.metrics(TRAIN)
        view.metrics({**TRAIN, "rollout/ece": 0.05})
        view.metrics({"kind": "validation", "step": 10, "ece": 0.1})
        view.metrics(ALARM)
        view.message("worker 0 restarted")
    shown = stream.getvalue()
    assert "worker 0 restarted" in shown
    assert "validation at step 10: ECE 0.100" in shown
    assert "ALARM decoy at step 3: 12 % of [them]" in shown
    last = shown[shown.rindex("emocal-rl") :]
    assert "alarms decoy (step 3)" in last
    assert "calibration" in last
    assert "3/10" in last
    assert "ECE 0.050" in last
    assert "tokens/s 2,100" in last
    assert "ECE █▂" in last


@pytest.mark.parametrize(
    ("values", "text"), [([0.0, 0.0], "▁▁"), ([0.0, 0.5, 1.0], "▁▅█"), ([1.0] * 60 + [0.0] * 60, "█" * 30 + "▁" * 30)]
)
def test_sparkline(values: list[float], text: str) -> None:
    assert sparkline(values) == text
