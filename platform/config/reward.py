from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from emocal_rl.platform.config.reward_presets import REWARD_PRESETS, PresetName
from emocal_rl.platform.config.section import Section

Scalar = bool | int | float | str


Gate = Literal["none", "format", "correctness", "both"]


class FormatTermConfig(Section):
    """R_format: does the response follow the response grammar?"""

    rule: str = "format"
    """Registered reward, `package.module:function`, `path/to/file.py:function` or `http://host/path`."""
    weight: float = Field(default=1.0, ge=0, le=1000)
    """Weight of the term in the total."""
    params: dict[str, Scalar] = Field(default_factory=dict)
    """Parameters of the rule, validated by its registry entry."""


class CorrectnessTermConfig(Section):
    """R_correct: is the answer the label?"""

    rule: str = "correctness"
    """Registered reward, `package.module:function`, `path/to/file.py:function` or `http://host/path`."""
    weight: float = Field(default=1.0, ge=0, le=1000)
    """Weight of the term in the total."""
    gate: Literal["none", "format"] = "none"
    """`format`: the term is 0 for a response that is not well-formed (RLCR)."""
    params: dict[str, Scalar] = Field(default_factory=dict)
    """Parameters of the rule, e.g. `ring_credit` for part of the reward to a wrong answer near the label."""


class ConfidenceTermConfig(Section):
    """R_conf: a scoring rule on the stated confidence (paper equation 4 for `loglik`, equation 6 for `brier`)."""

    rule: str = "loglik"
    """Registered reward, `package.module:function`, `path/to/file.py:function` or `http://host/path`."""
    weight: float = Field(default=1.0, ge=0, le=1000)
    """Weight of the term in the total."""
    offset: float = Field(default=0.0, ge=-1000, le=1000)
    """Added to the rule's value before the weight (RLCR: 1 - (y - c)^2 is `brier` with offset 1)."""
    gate: Gate = "none"
    """The term is 0 for a response that is not well-formed (`format`), not right (`correctness`), or either (`both`).
    Behind `correctness` no scoring rule is proper: only right answers are asked how sure they were."""
    invalid: Literal["worst", "zero", "mask"] | float = "worst"
    """R_conf of a response without a valid confidence: the rule's worst value (plus offset), zero, a number, or `mask`,
    which takes the response out of the update. The paper is silent; `worst` leaves no safe exit by omitting the
    confidence."""
    invalid_as: float | None = Field(default=None, ge=0, le=1)
    """Score a response without a valid confidence as if it had stated this one, in place of `invalid` (SaySelf: 0)."""
    teaches: Literal["response", "confidence"] = "response"
    """Which tokens learn from the term: all of the response, as in the paper; or those of the stated confidence alone,
    whose advantage is then this term's, raw. The other tokens learn from the rest of the total, by the configured
    estimator: no answer is chosen for the confidence it allows, and normalising cannot polarise confidence. A response
    without a valid confidence is taught as a whole."""
    params: dict[str, Scalar] = Field(default_factory=dict)
    """Parameters of the rule, e.g. `clip` for the log score; validated by its registry entry."""


class RewardConfig(Section):
    """The reward's composition: terms, their weights, and what happens to a malformed response."""

    preset: PresetName = "paper"
    """A whole composition, which gives every key below that is not set its default: `paper` is R_format + R_correct +
    R_conf; `split-credit` is ours, whose R_conf, six times the Brier score, teaches the confidence's tokens alone;
    `official` is the released code, by value; `rlcr`, `rewarding-doubt` and `sayself` are other papers'."""
    protocol: Literal["strict", "official"] = "strict"
    """How a response is read and its answer judged: by the response grammar and the taxonomy, or as the released
    reward does."""
    well_formed: Literal["grammar", "grammar-and-confidence", "answer-and-confidence"] = "grammar"
    """When a response is well-formed: by the protocol's own rule; if its confidence is valid as well; or whenever an
    answer and a valid confidence can be read, whatever surrounds them."""
    repeated: Literal["malformed", "last-wins"] = "malformed"
    """An answer or a confidence that is given more than once breaks the format, or the last one counts (RLCR)."""
    format: FormatTermConfig = FormatTermConfig()
    """Format term."""
    correctness: CorrectnessTermConfig = CorrectnessTermConfig()
    """Correctness term."""
    confidence: ConfidenceTermConfig = ConfidenceTermConfig()
    """Confidence term."""
    malformed_total: float | None = None
    """Flat total of a response that is not well-formed, in place of the sum (official: -5); unset keeps the sum."""
    num_workers: int = Field(default=1, ge=1, le=1024)
    """Reward workers."""
    num_processes: int = Field(default=1, ge=1, le=256)
    """Killable processes of one reward worker."""
    timeout_s: float = Field(default=10.0, gt=0)
    """Deadline of one response (of one group where a rule is an HTTP scorer); past it the process is killed, what it
    was scoring is masked and counted."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        given = {key: _explicit(value) for key, value in values.items()}
        filled = dict(REWARD_PRESETS.get(str(values.get("preset", "paper")), {}))
        for key, value in given.items():
            if isinstance(value, Mapping) and isinstance(filled.get(key), Mapping):
                filled[key] = _lay_over(filled[key], value)
            else:
                filled[key] = value
        return filled

    @model_validator(mode="after")
    def _official_has_its_own_format(self) -> "RewardConfig":
        if self.protocol == "official" and self.well_formed != "grammar":
            raise ValueError(
                "reward.well_formed must be grammar where reward.protocol is official: the released reward decides"
            )
        if self.protocol == "official" and self.repeated != "malformed":
            raise ValueError(
                "reward.repeated must be malformed where reward.protocol is official: it reads the first of each tag"
            )
        return self


def _lay_over(preset: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a given term over a preset's; the preset's parameters and offset belong to the preset's rule only."""
    if given.get("rule", preset.get("rule")) != preset.get("rule"):
        return {**{key: value for key, value in preset.items() if key not in ("params", "offset")}, **given}
    merged = {**preset, **given}
    if isinstance(merged.get("params"), Mapping):
        merged["params"] = {**preset.get("params", {}), **merged["params"]}
    return merged


def _explicit(value: object) -> object:
    return value.model_dump(exclude_unset=True) if isinstance(value, Section) else value


class AdvantageConfig(Section):
    """From rewards to advantages."""

    estimator: Literal["grpo", "rloo", "batch", "per-term"] = "grpo"
    """What a reward is measured against, and by what it is divided if `normalize` is set: `grpo` the group's mean, by
    the group's standard deviation; `rloo` the mean of the group's other responses, by the same; `batch` the group's
    mean, by the standard deviation over all groups of the step; `per-term` as grpo for each reward term by itself, then
    summed by the terms' weights. The last two are nothing of their own without `normalize`."""
    normalize: bool = False
    """Divide by a standard deviation (GRPO); off is the paper's raw, mean-centred advantage."""
    epsilon: float = Field(default=1e-6, ge=0, le=1)
    """Added to the standard deviation before dividing."""

    @model_validator(mode="after")
    def _estimators_of_the_scale_normalize(self) -> "AdvantageConfig":
        if self.estimator in ("batch", "per-term") and not self.normalize:
            raise ValueError(
                f"estimator={self.estimator} is another way to normalise: give --normalize (advantage.normalize=true), "
                "or estimator=grpo for raw advantages"
            )
        return self


class LossConfig(Section):
    """The GRPO variant (paper equation 5)."""

    clip_ratio: float = Field(default=0.2, gt=0, lt=1)
    """Importance ratios are clipped to [1 - clip_ratio, 1 + clip_ratio]."""
    clip_ratio_high: float | None = Field(default=None, gt=0, le=100)
    """Upper clip where it differs, [1 - clip_ratio, 1 + clip_ratio_high]: clip-higher (DAPO: 0.28)."""
    kl_coefficient: float = Field(default=0.01, ge=0, le=10)
    """Weight of the KL to the reference policy; 0 starts no reference worker."""
    kl_placement: Literal["loss", "reward"] = "loss"
    """Where the KL counts, never in both: as a term of the loss, or as a penalty of each response's reward (a term
    `kl`: the coefficient times the sum over its tokens), before the advantages."""
    kl_estimator: Literal["k1", "k2", "k3"] = "k3"
    """Per-token KL estimator, with r = log pi_ref - log pi: k1 is -r, k2 is r^2 / 2, k3 is exp(r) - r - 1. In the loss
    k1 holds nothing back: on-policy its expected gradient is 0."""
    aggregation: Literal["seq-mean-token-mean", "token-mean", "seq-mean-token-sum-norm"] = "seq-mean-token-mean"
    """Paper: mean over a response's tokens, then over responses. Official code (`token-mean`): mean over all tokens.
    `seq-mean-token-sum-norm`: sum over a response's tokens by `rollout.sampling.max_new_tokens`, then mean over
    responses (Dr. GRPO)."""
    old_logprobs: Literal["rollout", "recompute"] = "rollout"
    """Denominator of the importance ratio: as sampled, or recomputed by the learner before the first mini-batch."""
