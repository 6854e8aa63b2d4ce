from pathlib import Path

import pytest

from emocal_rl.benchmarks.synthvec.attribute_words import vocabulary
from emocal_rl.platform.config.synthesis import ChatModelConfig, SynthesisConfig
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.errors import ConfigError
from emocal_rl.stages.synthesis.prompts import Prompts

SAMPLE = Sample("s0", ("a.png",), "Which?", ("awe", "fear"), "awe", "FI-8")
FORM = "<think><element>...</element><human>...</human><context>...</context><interaction>...</interaction>"
FORM += "<analysis>...</analysis></think><answer>awe</answer>"


def config(path: Path, text: str) -> SynthesisConfig:
    path.write_text(text)
    return SynthesisConfig(teacher=ChatModelConfig(template=str(path)))


def test_the_shipped_teacher_is_told_label_candidates_and_form() -> None:
    prompt = Prompts(SynthesisConfig()).teacher(SAMPLE)
    assert "agreed on this emotion: awe. Everyone could choose from: awe, fear." in prompt
    assert prompt.endswith(FORM)
    assert "words only" not in prompt
    assert "- element, light: black, inky, dark," in Prompts(SynthesisConfig(), vocabulary()).teacher(SAMPLE)


def test_the_shipped_judge_reads_the_reasoning_and_is_told_the_verdict() -> None:
    prompt = Prompts(SynthesisConfig()).judge(SAMPLE, {part: f"about {part}" for part in REASONING_PARTS})
    assert "[element] about element\n[human] about human\n" in prompt
    assert "[analysis] about analysis\n[answer] awe\n" in prompt
    assert '{"hallucination": true or false,' in prompt


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    own = config(
        tmp_path / "t.jinja", "{{ task }}: {{ label }} of {{ candidates | length }}, {{ parts[0] }} {{ question }}"
    )
    assert Prompts(own).teacher(SAMPLE) == "FI-8: awe of 2, element Which?"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("fine\n{% for %}", r"is no Jinja template \(line 2\)"),
        ("{{ lable }}", "cannot be rendered for s0: 'lable' is undefined"),
        ("{{ label.__class__.__mro__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "division by zero"),
    ],
)
def test_a_broken_template_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=rf"synthesis.teacher.template = '.*t.jinja'.*{problem}"):
        Prompts(config(tmp_path / "t.jinja", text)).teacher(SAMPLE)


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"synthesis.teacher.template = '.*nowhere.jinja': cannot be read"):
        Prompts(SynthesisConfig(teacher=ChatModelConfig(template=str(tmp_path / "nowhere.jinja"))))
