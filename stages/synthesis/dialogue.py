"""What becomes of one sample: a pure function of the replies about it, so a journal of replies is all the state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from emocal_rl.platform.config.synthesis import SynthesisConfig
from emocal_rl.platform.contracts import REASONING_PARTS, DemonstrationSample, Sample
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_question
from emocal_rl.platform.prompts import question_text
from emocal_rl.platform.responses.grammar import parse_response, render_response
from emocal_rl.stages.chat.exchange import Ask, Reply, Role, prompt_hash
from emocal_rl.stages.synthesis.leakage import parts_naming_label
from emocal_rl.stages.synthesis.prompts import Prompts
from emocal_rl.stages.synthesis.verdict import read_verdict

VERDICT_ATTEMPTS = 2
"""An unreadable verdict is asked for once more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one sample. `reasons` is empty exactly when it is kept.

    `reasoning` is the text by part that was judged, None when the teacher wrote none. `malformed` counts the teacher's
    texts that were no use, whether or not a later one was.
    """

    sample: Sample
    reasons: tuple[str, ...] = ()
    detail: str = ""
    reasoning: Mapping[str, str] | None = None
    malformed: int = 0

    @property
    def demonstration(self) -> DemonstrationSample | None:
        """The row to train on, if the sample is kept."""
        if self.reasons or self.reasoning is None:
            return None
        return DemonstrationSample(self.sample, render_response(self.reasoning, self.sample.label, None))


@dataclass(frozen=True, slots=True)
class _Draft:
    """What the teacher wrote; `reasoning` is None when it is no use, for `reason`."""

    reasoning: Mapping[str, str] | None
    reason: str = ""
    detail: str = ""


class Dialogue:
    """The rules by which samples are asked about, kept and rejected."""

    def __init__(self, config: SynthesisConfig, prompts: Prompts) -> None:
        self._config, self._prompts = config, prompts

    def step(self, sample: Sample, replies: Sequence[Reply]) -> Ask | Outcome:
        """Return what to ask next about a sample, or what has become of it; `replies` in the order they came."""
        if self._config.rewrite_question:
            sample = replace(sample, question=question_text(sample.candidates, confidence=False))
        prompt = self._prompts.teacher(sample)
        drafts: list[_Draft] = []
        for reply in _answers(replies, "teacher", prompt)[: self._config.teacher_attempts]:
            drafts.append(_read_draft(sample, reply))
            if drafts[-1].reasoning is not None or drafts[-1].reason == "teacher_refused":
                break
        if not drafts:
            return Ask(sample, "teacher", prompt)
        draft = drafts[-1]
        malformed = sum(one.reason in ("format", "wrong_answer") for one in drafts)
        if draft.reasoning is not None:
            return self._review(Outcome(sample, reasoning=draft.reasoning, malformed=malformed), replies)
        if draft.reason != "teacher_refused" and len(drafts) < self._config.teacher_attempts:
            return Ask(sample, "teacher", prompt, len(drafts))
        return Outcome(sample, (draft.reason,), draft.detail, malformed=malformed)

    def _review(self, written: Outcome, replies: Sequence[Reply]) -> Ask | Outcome:
        sample, reasoning = written.sample, written.reasoning
        assert reasoning is not None
        if named := parts_naming_label(sample, reasoning, self._config.unnamed_in):
            return replace(written, reasons=("label_named",), detail=f"{sample.label} in {', '.join(named)}")
        prompt = self._prompts.judge(sample, reasoning)
        verdicts = _answers(replies, "judge", prompt)[:VERDICT_ATTEMPTS]
        problem = ""
        for reply in verdicts:
            if reply.finish_reason == "refused":
                return replace(written, reasons=("judge_refused",), detail=reply.text)
            try:
                faults, words = read_verdict(reply.text)
            except ValueError as error:
                problem = f"{error}: {reply.text[:500]}"
                continue
            return replace(written, reasons=faults, detail=words)
        if len(verdicts) < VERDICT_ATTEMPTS:
            return Ask(sample, "judge", prompt, len(verdicts))
        return replace(written, reasons=("unreadable_verdict",), detail=problem)


def _answers(replies: Sequence[Reply], role: Role, prompt: str) -> list[Reply]:
    wanted = prompt_hash(prompt)
    return [reply for reply in replies if reply.role == role and reply.prompt_hash == wanted]


def _read_draft(sample: Sample, reply: Reply) -> _Draft:
    if reply.finish_reason == "refused":
        return _Draft(None, "teacher_refused", reply.text)
    if reply.finish_reason == "length":
        return _Draft(None, "format", "truncated")
    parsed = parse_response(reply.text, with_confidence=False)
    empty = tuple(f"empty:{part}" for part in REASONING_PARTS if parsed.well_formed and not parsed.parts[part])
    if problems := parsed.problems + empty:
        return _Draft(None, "format", ", ".join(problems))
    taxonomy = taxonomy_of_question(sample.task, sample.candidates)
    if taxonomy.resolve(parsed.answer or "") != taxonomy.resolve(sample.label):
        return _Draft(None, "wrong_answer", parsed.answer or "")
    return _Draft(parsed.parts)
