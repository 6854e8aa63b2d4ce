"""The plug-ins that CONTRIBUTING.md shows are working ones."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.errors import DataError, RewardError
from emocal_rl.platform.responses.grammar import parse_response, render_response
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.registry import RewardInput, resolve_rule
from emocal_rl.stages.inference import job
from emocal_rl.stages.inference.answer import Answer, Receive
from emocal_rl.stages.inference.question import Question

GUIDE = Path(__file__).parent.parent / "CONTRIBUTING.md"
SAMPLE = Sample("s", (), "Q?", ("awe", "fear"), "awe", "FI-8")


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugin") / "my_reward.py"
    path.write_text(code_after("`my_reward.py`"))
    return path


def code_after(name: str) -> str:
    """The first block of code behind the first mention of a file."""
    _, _, text = GUIDE.read_text().partition(name)
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


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
    code = code_after("`my_suite.py`")
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
    printed = invoke(*run)
    assert "my_suite.py:Captions: 3 samples" in printed
    overall = ["All", "33.33", "33.33", "10.00", "26.00", "50.00", "60.00", "66.67", "3"]
    assert overall in [line.split() for line in printed.splitlines()]
    again = invoke("score", "out/predictions.jsonl", *named)
    assert overall in [line.split() for line in again.splitlines()]
    (tmp_path / "captions.json").write_text(json.dumps([*rows, {**rows[0], "id": "d", "fits": "maybe"}]))
    with pytest.raises(DataError, match=r"captions\.json:4 fits = 'maybe': must be one of: yes, no"):
        invoke(*run)


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["eval", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout
