import io

from rich.console import Console

from emocal_rl.cli.tables import print_comparisons
from emocal_rl.platform.report.comparison import Comparison, ComparisonRow


def test_before_after_and_oracle() -> None:
    cold = {"accuracy": 0.464, "ece": 0.246, "brier": 0.325, "auc": 0.62, "mean_confidence": 0.601}
    rows = (ComparisonRow("Cold start", cold, None), ComparisonRow("Oracle", {"accuracy": 0.638, "ece": 0.0}, None))
    stream = io.StringIO()
    print_comparisons([Comparison("Sampled at T = 1, all tasks", rows)], Console(file=stream, width=100))
    lines = [line.split() for line in stream.getvalue().replace("│", " ").replace("┃", " ").splitlines()]
    assert ["Sampled", "at", "T", "=", "1,", "all", "tasks"] in lines
    assert ["Cold", "start", "0.464", "0.246", "0.325", "0.620", "0.601"] in lines
    assert ["Oracle", "0.638", "0.000", "–", "–", "–"] in lines
