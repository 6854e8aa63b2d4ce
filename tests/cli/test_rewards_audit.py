import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.errors import DataError, RewardError

FAST = ("--group-size", "3", "--num-levels", "6")
LINEAR = """
from emocal_rl.rewards.registry import RewardInput

def linear(x: RewardInput, *, scale: float = 1.0) -> float:
    return -scale * abs(x.correct - x.parsed.confidence)
"""


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["rewards", "audit", *FAST, *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


def test_what_is_printed() -> None:
    shown = invoke("--reward", "loglik", "--num-classes", "5")
    assert "the honest value falls by 0.306 until p = 0.269." in shown
    assert "5 classes, the rest uniform" in shown
    assert "raw " in shown
    assert shown.rstrip().endswith("\nproper")


def test_files_and_json(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "audit"
    found = json.loads(invoke("--preset", "official", "--json", "--out", str(out)))
    assert found == json.loads((out / "audit.json").read_text())
    assert {path.name for path in out.iterdir()} == {"audit.html", "audit.json", "reward.png", "effects.png"}
    assert round(found["exits"][0]["beats_wrong"][0][0], 4) == 0.9502
    assert "malformed_total: -5.0" in (out / "audit.html").read_text()


def test_strict_fails_on_an_improper_plugin_and_on_normalised_advantages(tmp_path: Path) -> None:
    plugin = tmp_path / "my_reward.py"
    plugin.write_text(LINEAR)
    settings = ("--set", "reward.confidence.invalid=-1", "--set", "reward.confidence.params.scale=2.0")
    shown = invoke("--reward", f"{plugin}:linear", *settings, "--strict", code=1)
    assert "Improper: at p = 0." in shown
    assert "NOT proper" in shown
    assert "NOT proper" in invoke("--reward", "brier", "--normalize", "--strict", code=1)
    invoke("--reward", "brier", "--strict")


def test_a_start_is_read_from_an_eval_file(tmp_path: Path) -> None:
    path = tmp_path / "cold.json"
    path.write_text(json.dumps({"overall": {}, "histogram": [0] * 19 + [50]}))
    found = json.loads(invoke("--reward", "brier", "--json", "--start", str(path)))
    assert [effect["start"] for effect in found["effects"]] == ["uniform", "cold"] * 3


@pytest.mark.parametrize("content", ["{}", "[1]", "no json", '{"histogram": [0, 0]}', '{"histogram": [1e999]}'])
def test_a_start_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cold.json"
    path.write_text(content)
    with pytest.raises(DataError, match="histogram"):
        invoke("--start", str(path))


def test_too_many_classes_are_refused() -> None:
    invoke("--num-classes", "26", code=2)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_rule_that_is_never_finite_is_refused(tmp_path: Path) -> None:
    plugin = tmp_path / "nan.py"
    plugin.write_text("def nowhere(x):\n    return float('nan')\n")
    with pytest.raises(RewardError, match="is finite at 0 of 6 confidences"):
        invoke("--reward", f"{plugin}:nowhere", "--set", "reward.confidence.invalid=zero")
