"""What CONTRIBUTING.md and the README show works."""

import json
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import fields
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.errors import DataError, RewardError
from emocal_rl.platform.responses.grammar import parse_response, render_response
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.group_scoring import score_group
from emocal_rl.rewards.http_scorer import ScoredItem
from emocal_rl.rewards.presets import PRESETS
from emocal_rl.rewards.registry import RewardInput, resolve_rule
from emocal_rl.stages.inference import job
from emocal_rl.stages.inference.answer import Answer, Receive
from emocal_rl.stages.inference.question import Question
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


class Guess:
    """A model that says yes, 0.6 sure, and once that it cannot tell."""

    def answer(self, questions: Sequence[Question], receive: Receive) -> None:
        for question in questions:
            sure = "<answer>yes</answer><confidence>0.6</confidence>"
            receive(question, Answer("Cannot tell." if question.sample.id == "c" else sure, "stop"))


def test_the_suite_runs_from_the_guide_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face_image: bytes
) -> None:
    code = shown("CONTRIBUTING.md", "Captions")
    assert code.count("\n") <= 40
    (tmp_path / "my_suite.py").write_text(code)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(face_image)
    fits = {"a": "yes", "b": "no", "c": "yes"}
    rows = [{"id": name, "image": "a.png", "caption": "A face.", "fits": truth} for name, truth in fits.items()]
    (tmp_path / "captions.json").write_text(json.dumps(rows))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(job, "answering", lambda *_: nullcontext(Guess()))
    monkeypatch.setattr(job, "check_model", lambda _: {})
    named = ["--bench", "my_suite.py:Captions"]
    run = ["run", "--model", "m", *named, "--data", "captions.json", "--out", "out", "--prompt", "zero-shot-confidence"]
    printed = evaluate(*run)
    assert "my_suite.py:Captions: 3 samples" in printed
    overall = ["All", "33.33", "33.33", "10.00", "26.00", "50.00", "60.00", "66.67", "3"]
    assert overall in [line.split() for line in printed.splitlines()]
    again = evaluate("score", "out/predictions.jsonl", *named)
    assert overall in [line.split() for line in again.splitlines()]
    (tmp_path / "captions.json").write_text(json.dumps([*rows, {**rows[0], "id": "d", "fits": "maybe"}]))
    with pytest.raises(DataError, match=r"captions\.json:4 fits = 'maybe': must be one of: yes, no"):
        evaluate(*run)


def evaluate(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["eval", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


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


def test_what_an_http_scorer_gets_is_shown() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    (request,) = re.findall(r"^(\{\"responses\".*?\})\n\{\"scores\"", page, re.DOTALL | re.M)
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
