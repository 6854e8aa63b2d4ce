import json
import math
from importlib.metadata import EntryPoint

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.rewards import registry


@pytest.fixture(autouse=True)
def _broken_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "no.such.module:f", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [broken])


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["rewards", "list", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_rules_their_parameters_and_presets_are_listed() -> None:
    shown = invoke()
    assert "loglik(clip: float = 0.001)\n    Log c if the answer is right" in shown
    assert "    worst -6.908   emocal_rl.rewards.loglik:loglik\n" in shown
    assert "brier()\n" in shown
    assert "\nofficial\n    the released code by value" in shown


def test_a_plugin_that_cannot_be_loaded_is_listed_with_the_reason() -> None:
    assert "\nbroken\n    cannot be loaded: broken = 'no.such.module:f'" in invoke()


def test_json() -> None:
    listed = json.loads(invoke("--json"))
    rules = {rule["name"]: rule for rule in listed["rewards"]}
    assert rules["loglik"]["worst"] == math.log(0.001)
    assert rules["loglik"]["parameters"] == [{"name": "clip", "type": "float", "default": 0.001}]
    assert "No module named 'no'" in rules["broken"]["problem"]
    assert [preset["name"] for preset in listed["presets"]] == [
        "paper",
        "official",
        "rlcr",
        "rewarding-doubt",
        "sayself",
    ]


def test_json_has_no_infinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))

    @registry.reward("unbounded", worst=-math.inf)
    def unbounded(x: registry.RewardInput) -> float:
        return 0.0

    (rule,) = (rule for rule in json.loads(invoke("--json"))["rewards"] if rule["name"] == "unbounded")
    assert rule["worst"] is None
