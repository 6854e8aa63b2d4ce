import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.errors import RewardError
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.plugins import load_function
from emocal_rl.rewards.registry import resolve_rule

PLUGIN = '''
from __future__ import annotations

from typing import Annotated

from pydantic import Field

from emocal_rl.rewards.registry import RewardInput, reward


@reward("{name}", worst=lambda power: -1.0)
def absolute(x: RewardInput, *, power: Annotated[int, Field(ge=1)] = 1) -> float:
    """Absolute error."""
    return -abs(x.correct - x.parsed.confidence) ** power


def plain(x: RewardInput) -> float:
    return 0.25
'''

SAMPLE = Sample("s", (), "Q?", ("awe", "fear"), "awe", "FI-8")
TEXT = "<answer>awe</answer><confidence>0.25</confidence>"


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "my_reward.py"
    path.write_text(PLUGIN.format(name=f"test-{tmp_path.name}"))
    return path


def test_a_file_takes_the_confidence_rules_place(plugin):
    config = RewardConfig.model_validate({"confidence": {"rule": f"{plugin}:absolute", "params": {"power": 2}}})
    composition = Composition.from_config(config)
    assert composition.score(SAMPLE, TEXT, "stop").terms["confidence"] == -0.5625
    assert composition.score(SAMPLE, "", "stop").terms["confidence"] == -1.0


def test_a_function_without_decorator_serves_when_the_invalid_value_is_given(plugin):
    config = RewardConfig.model_validate({"confidence": {"rule": f"{plugin}:plain", "invalid": "zero"}})
    assert Composition.from_config(config).score(SAMPLE, TEXT, "stop").terms["confidence"] == 0.25


def test_a_file_is_imported_once(plugin):
    assert load_function(f"{plugin}:absolute", key="k") is load_function(f"{plugin}:absolute", key="k")
    assert resolve_rule(f"{plugin}:absolute", {}).worst == -1.0


def test_a_module_on_the_path(plugin, monkeypatch):
    monkeypatch.syspath_prepend(str(plugin.parent))
    plugin.rename(plugin.with_name("test_plugins_module.py"))
    assert load_function("test_plugins_module:plain", key="k").__name__ == "plain"


def test_a_relative_file(plugin, monkeypatch):
    monkeypatch.chdir(plugin.parent)
    assert load_function("my_reward.py:plain", key="k").__name__ == "plain"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{}:plan", r"has no function plan. Did you mean 'plain'\?"),
        ("{}:zzz", r"has no function zzz. It defines: .*plain"),
        ("{}", "path/to/file.py:function"),
        ("{}:", "path/to/file.py:function"),
        ("{}x.py:plain", "there is no file"),
        ("no.such.module:f", r"cannot be imported: No module named 'no'.*PYTHONPATH"),
        (":f", "path/to/file.py:function"),
    ],
)
def test_a_plugin_that_is_not_there(plugin, path, message):
    with pytest.raises(RewardError, match=message) as caught:
        load_function(path.format(plugin), key="reward.confidence.rule")
    assert caught.value.key == "reward.confidence.rule"
    assert caught.value.fix


@pytest.mark.parametrize(
    ("source", "message"),
    [("1 / 0", "ZeroDivisionError: division by zero"), ("def", "SyntaxError"), ("import nowhere_", "nowhere_")],
)
def test_a_file_that_cannot_be_imported(tmp_path, source, message):
    path = tmp_path / "broken.py"
    path.write_text(source)
    for _ in range(2):
        with pytest.raises(RewardError, match=f"importing it failed: .*{message}"):
            load_function(f"{path}:f", key="k")
