import hashlib
from pathlib import Path

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.rewards import loglik
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.provenance import describe_rules

PLUGIN = """
def rule(x, *, power: float = 2.0) -> float:
    return -abs(x.correct - x.parsed.confidence) ** power
"""


def test_a_plugin_is_known_by_its_source_and_its_parameters(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    config = {"confidence": {"rule": f"{path}:rule", "invalid": "zero", "weight": 3}, "format": {"weight": 0.5}}
    described = describe_rules(Composition.from_config(RewardConfig.model_validate(config)))
    assert described["confidence"] == {
        "weight": 3.0,
        "rule": f"{path}:rule",
        "params": {"power": 2.0},
        "source": str(path),
        "sha256": hashlib.sha256(PLUGIN.encode()).hexdigest(),
    }
    assert (described["format"]["rule"], described["format"]["weight"]) == ("format", 0.5)


def test_built_in_rules_have_a_source_too() -> None:
    described = describe_rules(Composition.from_config(RewardConfig()))["confidence"]
    assert described["params"] == {"clip": 0.001}
    assert Path(described["source"]).samefile(loglik.__file__)


def test_an_http_scorer_has_its_url_and_no_content() -> None:
    config = {"confidence": {"rule": "http://host/score", "invalid": "zero"}}
    described = describe_rules(Composition.from_config(RewardConfig.model_validate(config)))["confidence"]
    assert (described["source"], described["sha256"]) == ("http://host/score", None)
    assert described["params"] == {"timeout_s": 8.0, "retries": 2}
