"""What CONTRIBUTING.md and the README show works."""

import json
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import fields
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.errors import RewardError
from emocal_rl.platform.responses.grammar import parse_response, render_response
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.group_scoring import score_group
from emocal_rl.rewards.http_scorer import ScoredItem
from emocal_rl.rewards.presets import PRESETS
from emocal_rl.rewards.registry import RewardInput, resolve_rule
from emocal_rl.stages.watch import alarms

ROOT = Path(__file__).parent.parent
SAMPLE = Sample("s", (), "Q?", ("awe", "fear"), "awe", "FI-8")


def shown(page: str, name: str) -> str:
    """The one piece of code of a page in which something of this name is defined."""
    codes = re.findall(r"^( *)```python\n(.*?)^\1```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    (code,) = (textwrap.dedent(code) for _, code in codes if re.search(rf"^ *(def|class) {name}\b", code, re.MULTILINE))
    return code


def defined(page: str, name: str, **known: Any) -> dict[str, Any]:
    """What that code defines."""
    names = {"__name__": "shown", **known}
    exec(compile(shown(page, name), page, "exec"), names)
    return names


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugin") / "my_reward.py"
    path.write_text(shown("CONTRIBUTING.md", "pseudospherical"))
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


def test_the_readmes_plugin_gives_the_same(plugin: Path, tmp_path: Path) -> None:
    short = tmp_path / "my_reward.py"
    short.write_text(shown("README.md", "pseudospherical"))
    outputs = [score_file(path, "--set", "reward.confidence.params.power=3").stdout for path in (plugin, short)]
    values = [[json.loads(line)["confidence"] for line in output.splitlines()] for output in outputs]
    assert values[1] == pytest.approx(values[0], rel=1e-9)
    assert len(values[1]) == 2


@pytest.fixture
def scorer_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("localhost", 0), defined("CONTRIBUTING.md", "Scorer")["Scorer"])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/score"
    server.shutdown()
    server.server_close()


def test_the_http_scorer_scores(scorer_url: str) -> None:
    config = RewardConfig.model_validate({"confidence": {"rule": scorer_url, "invalid": 0}})
    texts = [f"<answer>{answer}</answer><confidence>0.8</confidence>" for answer in ("awe", "fear")]
    scored = score_group(Composition.from_config(config), SAMPLE, [(text, "stop") for text in (*texts, "no tags")])
    assert [response.terms["confidence"] for response in scored] == pytest.approx([0.96, 0.36, 0.0])


def test_the_readme_shows_what_an_http_scorer_gets() -> None:
    (request,) = re.findall(
        r"^(\{\"responses\".*?\})\n\{\"scores\"", (ROOT / "README.md").read_text(), re.DOTALL | re.M
    )
    (item,) = json.loads(request.replace("}, ...]", "}]"))["responses"]
    assert list(item) == [field.name for field in fields(ScoredItem)]


def test_the_estimator_is_of_groups_at_once() -> None:
    above_median = defined("CONTRIBUTING.md", "above_median")["above_median"]
    assert above_median(np.array([[1.0, 2.0, 9.0], [0.0, 0.0, 3.0]])).tolist() == [[-1, 0, 7], [0, 0, 3]]


def test_the_alarm_sounds_when_responses_grow() -> None:
    alarm = defined("CONTRIBUTING.md", "length_blow_up", **vars(alarms))["length_blow_up"]
    config = SimpleNamespace(short_window=2, length_growth=2.0)
    history = [{"rollout/response_tokens": tokens} for tokens in (50, 50, 100, 100)]
    assert alarm(history, config) is None
    assert alarm([*history, {"rollout/response_tokens": 120}], config) == "110 tokens a response, 50 at least before"
    assert alarm([], config) is None


def test_the_readme_names_every_alarm_and_preset() -> None:
    text = (ROOT / "README.md").read_text()
    assert re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)[-len(alarms.RULES) :] == list(alarms.RULES)
    (presets,) = re.findall(r"^\| `--preset` \| (.*) \|$", text, re.MULTILINE)
    assert re.findall(r"`([a-z-]+)`", presets) == list(PRESETS)
