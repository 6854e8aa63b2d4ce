"""The prompts of teacher and judge: editable Jinja templates."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from emocal_rl.platform.config.synthesis import SynthesisConfig
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.errors import ConfigError
from emocal_rl.stages.chat.exchange import Role

ROLES: tuple[Role, ...] = ("teacher", "judge")

Vocabulary = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Part -> attribute -> the words to describe it with."""


def template_text(role: Role, path: str | None = None) -> str:
    """Return the text of a template: the shipped one, or the file at `path`.

    Raises:
        ConfigError: the file cannot be read.
    """
    if path is None:
        shipped = resources.files("emocal_rl.stages.synthesis") / "templates" / f"{role}.jinja"
        return shipped.read_text(encoding="utf-8")
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        rule = f"cannot be read: {error}"
        fix = "Give a text file; `emocal-rl synthesize --show-templates` prints the shipped ones."
        raise ConfigError(f"synthesis.{role}.template", path, rule=rule, fix=fix) from error


class Prompts:
    """Both templates, compiled.

    A template sees `label`, `candidates`, `question`, `task`, `parts` (names of the five), `vocabulary` (SynthVEC only,
    else none); the judge's also `reasoning`, the text by part. Nothing else is in reach: it runs in a sandbox.

    Raises:
        ConfigError: a template cannot be read or is no Jinja; naming file and line.
    """

    def __init__(self, config: SynthesisConfig, vocabulary: Vocabulary | None = None) -> None:
        self._vocabulary = vocabulary
        self._paths = {"teacher": config.teacher.template, "judge": config.judge.template}
        self.texts = {role: template_text(role, self._paths[role]) for role in ROLES}
        environment = ImmutableSandboxedEnvironment(
            undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates: dict[Role, jinja2.Template] = {}
        for role in ROLES:
            try:
                self._templates[role] = environment.from_string(self.texts[role])
            except jinja2.TemplateSyntaxError as error:
                raise self._broken(role, f"is no Jinja template (line {error.lineno}): {error.message}") from error

    def teacher(self, sample: Sample) -> str:
        """Return what the teacher is asked about a sample."""
        return self._render("teacher", sample)

    def judge(self, sample: Sample, reasoning: Mapping[str, str]) -> str:
        """Return what the judge is asked about the teacher's reasoning."""
        return self._render("judge", sample, reasoning=reasoning)

    def _render(self, role: Role, sample: Sample, **further: object) -> str:
        try:
            return self._templates[role].render(
                label=sample.label,
                candidates=sample.candidates,
                question=sample.question,
                task=sample.task,
                parts=REASONING_PARTS,
                vocabulary=self._vocabulary,
                **further,
            )
        except (jinja2.TemplateError, TypeError, ValueError, ZeroDivisionError) as error:
            raise self._broken(role, f"cannot be rendered for {sample.id}: {error}") from error

    def _broken(self, role: Role, rule: str) -> ConfigError:
        fix = "Correct the template; `emocal-rl synthesize --show-templates` prints the shipped ones."
        return ConfigError(f"synthesis.{role}.template", self._paths[role], rule=rule, fix=fix)
