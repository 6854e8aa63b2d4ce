import math
from importlib.metadata import EntryPoint

from emocal_rl.rewards import registry
from emocal_rl.rewards.listing import ParameterDescription, describe_rewards


def test_the_built_in_rules_are_described(monkeypatch):
    broken = EntryPoint("broken", "no.such.module:f", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [broken])
    described = {description.name: description for description in describe_rewards()}
    assert described.keys() >= {"brier", "broken", "correctness", "format", "loglik"}
    assert described["loglik"].parameters == (ParameterDescription("clip", "float", 0.001),)
    assert described["loglik"].worst == math.log(0.001)
    assert described["loglik"].summary.startswith("Log c if the answer is right")
    assert described["brier"].worst == -1.0
    assert "No module named 'no'" in described["broken"].problem
    assert all(description.summary for description in described.values() if description.source.startswith("emocal_rl."))
