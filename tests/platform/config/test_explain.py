from pathlib import Path

import pytest

from emocal_rl.platform.config.explain import annotated_yaml, config_schema, explain
from emocal_rl.platform.config.keys import config_keys
from emocal_rl.platform.config.load import resolve_config, resolve_layers
from emocal_rl.platform.errors import ConfigError


def test_a_key_is_explained() -> None:
    resolved = resolve_layers(None, {}, ["rollout.sampling.temperature=0.9"])
    (found,) = explain("rollout.sampling.temperature", resolved)
    assert found.to_dict() == {
        "key": "rollout.sampling.temperature",
        "doc": "Softmax temperature; 0 is greedy.",
        "type_name": "a number",
        "bounds": "at least 0 and at most 2",
        "default": 1.0,
        "value": 0.9,
        "origin": "--set",
    }


def test_a_section_explains_its_keys() -> None:
    found = explain("advantage", resolve_layers())
    assert [(one.key, one.origin) for one in found] == [
        ("advantage.estimator", "default"),
        ("advantage.normalize", "default"),
        ("advantage.epsilon", "default"),
    ]


def test_an_unknown_key_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"advantage.normalise: unknown key. Did you mean 'advantage.normalize'\?"):
        explain("advantage.normalise", resolve_layers())


def test_every_key_has_a_docstring() -> None:
    assert [key.name for key in config_keys().values() if not key.doc] == []


def test_shown_yaml_names_the_layers_and_still_parses(tmp_path: Path) -> None:
    resolved = resolve_layers(None, {"run.seed": 5}, ["tracking.trackers=[wandb]", "reward.confidence.params.clip=0.1"])
    shown = annotated_yaml(resolved)
    assert "  seed: 5  # flag\n" in shown
    assert "  trackers:  # --set\n  - wandb\n" in shown
    assert "    params:  # --set\n      clip: 0.1  # --set\n" in shown
    assert "  name: calibration\n" in shown
    path = tmp_path / "shown.yaml"
    path.write_text(shown)
    assert resolve_config(str(path)) == resolved.config


def test_the_schema_describes_the_tree() -> None:
    schema = config_schema()
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["SamplingConfig"]["properties"]["top_p"]["description"].startswith("Nucleus mass.")
