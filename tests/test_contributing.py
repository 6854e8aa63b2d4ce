"""The plug-in that CONTRIBUTING.md shows is a working one."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.errors import RewardError
from emocal_rl.platform.responses.grammar import parse_response, render_response
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.registry import RewardInput, resolve_rule

GUIDE = Path(__file__).parent.parent / "CONTRIBUTING.md"
SAMPLE = Sample("s", (), "Q?", ("awe", "fear"), "awe", "FI-8")


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    path = tmp_path_factory.mktemp("plugin") / "my_reward.py"
    path.write_text(code)
    return path


def test_the_plugin_is_a_proper_rule(plugin: Path) -> None:
    done = subprocess.run([sys.executable, plugin], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_plugin_resolves_and_scores(plugin: Path) -> None:
    config = RewardConfig.model_validate({"confidence": {"rule": f"{plugin}:pseudospherical"}})
    composition = Composition.from_config(config)

    def confidence_term(text: str) -> float:
        return composition.score(SAMPLE, text, "stop").terms["confidence"]

    assert confidence_term("<answer>awe</answer><confidence>0.6</confidence>") == pytest.approx(0.6 / 0.52**0.5)
    assert confidence_term("<answer>fear</answer><confidence>0.6</confidence>") == pytest.approx(0.4 / 0.52**0.5)
    assert confidence_term("<answer>awe</answer>") == 0.0


def test_its_parameter_is_validated(plugin: Path) -> None:
    rule = resolve_rule(f"{plugin}:pseudospherical", {"power": 3})
    parsed = parse_response("<confidence>1.0</confidence>")
    assert rule(RewardInput(SAMPLE, "", parsed, correct=True, finish_reason="stop")) == 1.0
    with pytest.raises(RewardError, match=r"reward\.params\.power = 1: Input should be greater than 1"):
        resolve_rule(f"{plugin}:pseudospherical", {"power": 1})


def score_file(plugin: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    """What a user types who stands where the file is."""
    parts = dict.fromkeys(REASONING_PARTS, "x")
    rows = [{"response": render_response(parts, answer, "0.8"), "ground_truth": "awe"} for answer in ("awe", "fear")]
    (plugin.parent / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["rewards", "score", "rows.jsonl", "--reward", "my_reward.py:pseudospherical", "--json", *settings]
    command = [sys.executable, "-m", "emocal_rl.cli.main", *arguments]
    return subprocess.run(command, cwd=plugin.parent, capture_output=True, text=True, check=False)


def test_the_plugin_scores_a_file_with_its_parameters(plugin: Path) -> None:
    done = score_file(plugin, "--set", "reward.confidence.params.power=3")
    assert done.stderr == ""
    norm = (0.8**3 + 0.2**3) ** (1 / 3)
    found = [json.loads(line)["confidence"] for line in done.stdout.splitlines()]
    assert found == pytest.approx([(0.8 / norm) ** 2, (0.2 / norm) ** 2], rel=1e-9)


def test_a_parameter_it_does_not_have_is_named(plugin: Path) -> None:
    done = score_file(plugin, "--set", "reward.confidence.params.powr=3")
    assert done.returncode == 2
    assert "reward.confidence.params.powr" in done.stderr
    assert "Did you mean 'power'?" in done.stderr
