from typing import Literal

from pydantic import Field

from emocal_rl.platform.config.endpoint import AskedModelConfig
from emocal_rl.platform.config.section import Section

Part = Literal["element", "human", "context", "interaction", "analysis"]


class ChatModelConfig(AskedModelConfig):
    """A teacher or judge, with the prompt it is given."""

    template: str | None = None
    """Jinja file of the prompt; unset is the shipped one (`synthesize --show-templates`)."""


class JudgeConfig(ChatModelConfig):
    """The model that judges what the teacher wrote."""

    temperature: float | None = Field(default=0.0, ge=0, le=2)
    """Softmax temperature; 0 is greedy, null the endpoint's own (some models accept no other)."""
    max_new_tokens: int = Field(default=512, ge=1, le=131072)
    """A verdict is cut, and counts as unreadable, after this many tokens."""
    structured_output: bool = False
    """Have the endpoint enforce the verdict's JSON schema (`response_format`); it must support that."""


class SynthesisConfig(Section):
    """VEC-CoT construction: a teacher writes the reasoning to an image and its label, a judge keeps or rejects it."""

    data: str | None = None
    """Image-label pairs in any dataset format; unset is SynthVEC's reasoning split."""
    max_samples: int | None = Field(default=None, ge=1)
    """Only the first N pairs, for a trial; the same command without it continues."""
    teacher: ChatModelConfig = ChatModelConfig()
    """The model that writes."""
    judge: JudgeConfig = JudgeConfig()
    """The model that judges, preferably another one than the teacher."""
    teacher_attempts: int = Field(default=2, ge=1, le=10)
    """How often the teacher may write before a malformed text or a wrong answer is a rejection."""
    unnamed_in: tuple[Part, ...] = ("element", "human", "context", "interaction", "analysis")
    """Parts in which the label or an alias of it must not be named; a text that does is rejected without the judge."""
    rewrite_question: bool = False
    """Give each kept row the stage-1 question (no confidence asked for) in place of the pair's own."""
    max_cost: float | None = Field(default=None, gt=0)
    """Spend no more than this over all runs on the same output, in the currency of the prices."""
    max_requests: int | None = Field(default=None, ge=1)
    """Have no more than this many requests to endpoints answered over all runs on the same output."""
    max_failures: int = Field(default=8, ge=1)
    """Stop when this many samples in a row were refused or got no answer: then it is not the samples."""
    chunk_size: int = Field(default=1024, ge=1)
    """Pairs the teacher writes about before the judge reads them; two local models take turns at this pace."""
