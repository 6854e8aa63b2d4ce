from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from emocal_rl.platform.config.section import Section

Scalar = bool | int | float | str


class FormatTermConfig(Section):
    """R_format: does the response follow the response grammar?"""

    rule: str = "format"
    """Registered reward or `package.module:function`."""
    weight: float = Field(default=1.0, ge=0, le=1000)
    """Weight of the term in the total."""
    params: dict[str, Scalar] = Field(default_factory=dict)
    """Parameters of the rule, validated by its registry entry."""


class CorrectnessTermConfig(Section):
    """R_correct: is the answer the label?"""

    rule: str = "correctness"
    """Registered reward or `package.module:function`."""
    weight: float = Field(default=1.0, ge=0, le=1000)
    """Weight of the term in the total."""
    params: dict[str, Scalar] = Field(default_factory=dict)
    """Parameters of the rule, validated by its registry entry."""


class ConfidenceTermConfig(Section):
    """R_conf: a scoring rule on the stated confidence (paper equation 4 for `loglik`, equation 6 for `brier`)."""

    rule: str = "loglik"
    """Registered reward or `package.module:function`."""
    weight: float = Field(default=1.0, ge=0, le=1000)
    """Weight of the term in the total."""
    invalid: Literal["worst", "zero"] | float = "worst"
    """R_conf of a response without a valid confidence: the rule's worst value, zero, or a number. The paper is silent;
    `worst` leaves no safe exit by omitting the confidence."""
    params: dict[str, Scalar] = Field(default_factory=dict)
    """Parameters of the rule, e.g. `clip` for the log score; validated by its registry entry."""


_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "paper": {},
    "official": {
        "protocol": "official",
        "confidence": {"rule": "loglik", "weight": 2.0, "invalid": "zero", "params": {"clip": 0.0}},
        "malformed_total": -5.0,
    },
}


class RewardConfig(Section):
    """The reward's composition: terms, their weights, and what happens to a malformed response."""

    preset: Literal["paper", "official"] = "paper"
    """A whole composition, which gives every key below that is not set its default: `paper` is R_format + R_correct +
    R_conf; `official` is the released code, by value."""
    protocol: Literal["strict", "official"] = "strict"
    """How a response is read and its answer judged: by the response grammar and the taxonomy, or as the released
    reward does."""
    format: FormatTermConfig = FormatTermConfig()
    """Format term."""
    correctness: CorrectnessTermConfig = CorrectnessTermConfig()
    """Correctness term."""
    confidence: ConfidenceTermConfig = ConfidenceTermConfig()
    """Confidence term."""
    malformed_total: float | None = None
    """Flat total of a response that breaks the format, in place of the sum (official: -5); unset keeps the sum."""
    num_workers: int = Field(default=1, ge=1, le=1024)
    """Reward workers."""
    num_processes: int = Field(default=1, ge=1, le=256)
    """Killable processes of one reward worker."""
    timeout_s: float = Field(default=10.0, gt=0)
    """Deadline of one response; past it the process is killed, the response masked and counted."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        preset = _PRESETS.get(str(values.get("preset", "paper")), {})
        given = {key: _explicit(value) for key, value in values.items()}
        if "confidence" in preset and isinstance(confidence := given.get("confidence"), Mapping):
            given["confidence"] = _lay_over(preset["confidence"], confidence)
        return {**preset, **given}


def _lay_over(preset: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a given confidence term over a preset's; the preset's parameters belong to the preset's rule only."""
    merged = {**preset, "params": {}, **given}
    if merged["rule"] == preset["rule"] and isinstance(merged["params"], Mapping):
        merged["params"] = {**preset["params"], **merged["params"]}
    return merged


def _explicit(value: object) -> object:
    return value.model_dump(exclude_unset=True) if isinstance(value, Section) else value


class AdvantageConfig(Section):
    """From rewards to advantages within a group."""

    normalize: bool = False
    """Divide by the group's standard deviation (GRPO); off is the paper's raw, mean-centred advantage."""
    epsilon: float = Field(default=1e-6, ge=0, le=1)
    """Added to the standard deviation before dividing."""


class LossConfig(Section):
    """The GRPO variant (paper equation 5)."""

    clip_ratio: float = Field(default=0.2, gt=0, lt=1)
    """Importance ratios are clipped to [1 - clip_ratio, 1 + clip_ratio]."""
    kl_coefficient: float = Field(default=0.01, ge=0, le=10)
    """Weight of the KL to the reference policy in the loss; 0 starts no reference worker."""
    kl_estimator: Literal["k3"] = "k3"
    """Per-token KL estimator: k3 is exp(r) - r - 1 with r = log pi_ref - log pi."""
    aggregation: Literal["seq-mean-token-mean", "token-mean"] = "seq-mean-token-mean"
    """Paper: mean over a response's tokens, then over responses. Official code: mean over all tokens."""
    old_logprobs: Literal["rollout", "recompute"] = "rollout"
    """Denominator of the importance ratio: as sampled, or recomputed by the learner before the first mini-batch."""
