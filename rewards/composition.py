import math
from dataclasses import dataclass, replace

from emocal_rl.platform.config.reward import ConfidenceTermConfig, RewardConfig
from emocal_rl.platform.contracts import FinishReason, ParsedResponse, RewardedResponse, Sample
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_question
from emocal_rl.platform.errors import RewardError
from emocal_rl.platform.responses.grammar import parse_response
from emocal_rl.platform.responses.official_reward import official_answer_is_correct, parse_official_reward
from emocal_rl.rewards.registry import ResolvedRule, RewardInput, resolve_rule


@dataclass(frozen=True)
class Composition:
    """A reward: weighted format, correctness and confidence terms, with a value for every response.

    A response without a valid confidence gets `invalid` as R_conf. If `reward.malformed_total` is set, a malformed
    response gets that flat total, shown as a term `malformed`, and zero for the other terms.
    """

    config: RewardConfig
    format: ResolvedRule
    correctness: ResolvedRule
    confidence: ResolvedRule
    invalid: float

    @classmethod
    def from_config(cls, config: RewardConfig) -> "Composition":
        """Resolve the rules and their parameters.

        Raises:
            RewardError: a rule is unknown, its parameters are wrong, or it has no worst value where one is needed.
        """
        form, correctness, confidence = config.format, config.correctness, config.confidence
        confidence_rule = resolve_rule(confidence.rule, confidence.params, key="reward.confidence")
        return cls(
            config,
            format=resolve_rule(form.rule, form.params, key="reward.format"),
            correctness=resolve_rule(correctness.rule, correctness.params, key="reward.correctness"),
            confidence=confidence_rule,
            invalid=_invalid_value(confidence, confidence_rule),
        )

    def score(self, sample: Sample, text: str, finish_reason: FinishReason) -> RewardedResponse:
        """Reward one response. `terms` are weighted and sum to `total`; a total that is not finite is masked.

        Raises:
            Exception: whatever a user's rule raises.
        """
        parsed = self._parse(text, finish_reason)
        correct = self._is_correct(parsed, sample)
        terms = self._terms(RewardInput(sample, text, parsed, correct, finish_reason))
        total = sum(terms.values())
        masked = None if math.isfinite(total) else "non-finite"
        return RewardedResponse(terms, total, correct, parsed.confidence, parsed.well_formed, parsed.answer, masked)

    @property
    def worst_total(self) -> float:
        """The lowest total any response can get; -inf where a rule declares no worst value."""
        config = self.config
        lowest = (
            (config.format.weight, _or_unbounded(self.format.worst)),
            (config.correctness.weight, _or_unbounded(self.correctness.worst)),
            (config.confidence.weight, min(self.invalid, _or_unbounded(self.confidence.worst))),
        )
        total = sum(weight * worst for weight, worst in lowest if weight)
        return total if config.malformed_total is None else min(total, config.malformed_total)

    def _parse(self, text: str, finish_reason: FinishReason) -> ParsedResponse:
        if self.config.protocol == "official":
            return parse_official_reward(text)
        parsed = parse_response(text)
        if finish_reason == "length":
            return replace(parsed, well_formed=False, problems=(*parsed.problems, "truncated"))
        return parsed

    def _is_correct(self, parsed: ParsedResponse, sample: Sample) -> bool:
        if self.config.protocol == "official":
            return official_answer_is_correct(parsed.answer, sample.label)
        if parsed.answer is None:
            return False
        taxonomy = taxonomy_of_question(sample.task, sample.candidates)
        answer = taxonomy.resolve(parsed.answer)
        return answer is not None and answer == taxonomy.resolve(sample.label)

    def _terms(self, x: RewardInput) -> dict[str, float]:
        config = self.config
        if config.malformed_total is not None and not x.parsed.well_formed:
            return {"format": 0.0, "correctness": 0.0, "confidence": 0.0, "malformed": config.malformed_total}
        terms = {
            "format": _weigh(config.format.weight, self.format, x),
            "correctness": _weigh(config.correctness.weight, self.correctness, x),
            "confidence": config.confidence.weight * self.invalid
            if x.parsed.confidence is None
            else _weigh(config.confidence.weight, self.confidence, x),
        }
        return terms if config.malformed_total is None else {**terms, "malformed": 0.0}


def _weigh(weight: float, rule: ResolvedRule, x: RewardInput) -> float:
    return weight * rule(x) if weight else 0.0  # a term without weight is off, even if it were infinite


def _or_unbounded(worst: float | None) -> float:
    return -math.inf if worst is None else worst


def _invalid_value(config: ConfidenceTermConfig, rule: ResolvedRule) -> float:
    if config.invalid == "zero":
        return 0.0
    if config.invalid != "worst":
        return config.invalid
    worst = rule.worst
    if worst is None or not math.isfinite(worst):
        problem = "declares no worst value" if worst is None else "has no finite worst value with these parameters"
        raise RewardError(
            "reward.confidence.invalid",
            "worst",
            rule=f"the rule {config.rule} {problem}, so a response without a valid confidence would have no reward",
            fix="Decorate it with @reward(name, worst=...), clip it, or set reward.confidence.invalid to a number.",
        )
    return worst
