from dataclasses import replace

import pytest

from emocal_rl.platform.config.synthesis import SynthesisConfig
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
from emocal_rl.stages.chat.exchange import Ask, Reply, prompt_hash
from emocal_rl.stages.synthesis.dialogue import Dialogue, Outcome
from emocal_rl.stages.synthesis.prompts import Prompts

CONFIG = SynthesisConfig()
PROMPTS = Prompts(CONFIG)
SAMPLE = Sample("s", ("a.png",), "Which? State your confidence.", TAXONOMIES["mikels8"].labels, "awe", "FI-8")
PARTS = {part: f"about {part}" for part in REASONING_PARTS}
PASS = '{"hallucination": false, "label_leakage": false, "logical_inconsistency": false, "reason": ""}'


def text(answer: str = "awe", **parts: str) -> str:
    thought = "".join(f"<{part}>{words}</{part}>" for part, words in {**PARTS, **parts}.items())
    return f"<think>{thought}</think><answer>{answer}</answer>"


def wrote(words: str, finish_reason: str = "stop") -> Reply:
    return Reply("s", "teacher", prompt_hash(PROMPTS.teacher(SAMPLE)), words, finish_reason, 1, 1)  # type: ignore[arg-type]


def judged(words: str, finish_reason: str = "stop") -> Reply:
    return Reply("s", "judge", prompt_hash(PROMPTS.judge(SAMPLE, PARTS)), words, finish_reason, 1, 1)  # type: ignore[arg-type]


def step(*replies: Reply, config: SynthesisConfig = CONFIG) -> Ask | Outcome:
    return Dialogue(config, PROMPTS).step(SAMPLE, replies)


def test_teacher_then_judge_then_a_demonstration_in_canonical_form() -> None:
    assert step() == Ask(SAMPLE, "teacher", PROMPTS.teacher(SAMPLE), 0)
    written = wrote(text("Awe.").replace("><human", ">\n<human"))
    assert step(written) == Ask(SAMPLE, "judge", PROMPTS.judge(SAMPLE, PARTS), 0)
    outcome = step(written, judged(PASS))
    assert isinstance(outcome, Outcome)
    assert outcome == Outcome(SAMPLE, (), "", PARTS)
    assert outcome.demonstration is not None
    assert outcome.demonstration.response == text()
    assert outcome.demonstration.loss_spans is None


@pytest.mark.parametrize(
    ("given", "reason", "detail"),
    [
        (wrote("no tags at all"), "format", "missing:think, missing:element"),
        (wrote(text() + "<confidence>0.9</confidence>"), "format", "unexpected:confidence"),
        (wrote("Sure! " + text()), "format", "text_outside"),
        (wrote(text(human=" ")), "format", "empty:human"),
        (wrote(text(), "length"), "format", "truncated"),
        (wrote(text("fear")), "wrong_answer", "fear"),
    ],
)
def test_a_useless_text_is_asked_for_once_more_then_rejected(given: Reply, reason: str, detail: str) -> None:
    assert step(given) == Ask(SAMPLE, "teacher", PROMPTS.teacher(SAMPLE), 1)
    outcome = step(given, given)
    assert isinstance(outcome, Outcome)
    assert (outcome.reasons, outcome.malformed, outcome.demonstration) == ((reason,), 2, None)
    assert outcome.detail.startswith(detail)
    kept = step(given, wrote(text()), judged(PASS))
    assert isinstance(kept, Outcome)
    assert (kept.reasons, kept.malformed) == ((), 1)


def test_the_label_named_in_the_reasoning_needs_no_judge() -> None:
    outcome = step(wrote(text(analysis="So it is AWE!")))
    assert isinstance(outcome, Outcome)
    assert (outcome.reasons, outcome.detail) == (("label_named",), "awe in analysis")
    assert outcome.reasoning is not None
    lenient = CONFIG.model_copy(update={"unnamed_in": ("element", "human")})
    assert isinstance(step(wrote(text(analysis="So it is AWE!")), config=lenient), Ask)


def test_the_judges_faults_are_the_reasons() -> None:
    verdict = PASS.replace('"hallucination": false', '"hallucination": true').replace('""', '"no dog"')
    outcome = step(wrote(text()), judged(verdict))
    assert isinstance(outcome, Outcome)
    assert (outcome.reasons, outcome.detail, outcome.demonstration) == (("hallucination",), "no dog", None)


def test_an_unreadable_verdict_is_asked_for_once_more_then_rejected() -> None:
    written, unread = wrote(text()), judged("Looks good to me!")
    again = step(written, unread)
    assert isinstance(again, Ask)
    assert (again.role, again.attempt) == ("judge", 1)
    kept = step(written, unread, judged(PASS))
    assert isinstance(kept, Outcome)
    assert kept.reasons == ()
    outcome = step(written, unread, unread)
    assert isinstance(outcome, Outcome)
    assert outcome.reasons == ("unreadable_verdict",)
    assert "Looks good to me!" in outcome.detail


def test_refusals_end_it_with_the_refusal() -> None:
    for replies, reason in (
        ([wrote("I cannot", "refused")], "teacher_refused"),
        ([wrote(text()), judged("I cannot", "refused")], "judge_refused"),
    ):
        outcome = step(*replies)
        assert isinstance(outcome, Outcome)
        assert (outcome.reasons, outcome.detail) == ((reason,), "I cannot")


def test_replies_to_another_prompt_count_for_nothing() -> None:
    stale = replace(wrote(text()), prompt_hash="0" * 16)
    assert step(stale) == step()


def test_the_question_may_be_rewritten_for_stage_1() -> None:
    outcome = step(wrote(text()), judged(PASS), config=CONFIG.model_copy(update={"rewrite_question": True}))
    assert isinstance(outcome, Outcome)
    assert outcome.sample.question.startswith("Which emotion may this image evoke")
    assert "confidence" not in outcome.sample.question
