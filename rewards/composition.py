import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from emocal_rl.platform.config.reward import ConfidenceTermConfig, LossConfig, RewardConfig
from emocal_rl.platform.contracts import FinishReason, ParsedResponse, RewardedResponse, Sample
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_question
from emocal_rl.platform.errors import RewardError
from emocal_rl.platform.responses.grammar import parse_response
from emocal_rl.platform.responses.official_reward import official_answer_is_correct, parse_official_reward
from emocal_rl.platform.responses.repeated_tags import keep_last
from emocal_rl.rewards.registry import SCHEMES, ResolvedRule, RewardInput, resolve_rule

TermName = Literal["format", "correctness", "confidence"]
TERMS: tuple[TermName, ...] = ("format", "correctness", "confidence")
Values = Mapping[TermName, float]


@dataclass(frozen=True)
class Composition:
    """A reward: weighted format, correctness and confidence terms, with a value for every response.

    A response without a valid confidence gets `invalid` as R_conf, or is masked where that is None; with
    `reward.confidence.invalid_as` it is scored as if it had stated that confidence. A term behind a gate that is closed
    is 0. If `reward.malformed_total` is set, a malformed response gets that flat total, shown as a term `malformed`,
    and zero for the other terms.
    """

    config: RewardConfig
    format: ResolvedRule
    correctness: ResolvedRule
    confidence: ResolvedRule
    invalid: float | None

    @classmethod
    def from_config(cls, config: RewardConfig) -> "Composition":
        """Resolve the rules and their parameters.

        Raises:
            RewardError: a rule is unknown, its parameters are wrong, it has no worst value where one is needed, or
                HTTP scorers may take longer than a group has time.
        """
        form, correctness, confidence = config.format, config.correctness, config.confidence
        confidence_rule = resolve_rule(confidence.rule, confidence.params, key="reward.confidence")
        composition = cls(
            config,
            format=resolve_rule(form.rule, form.params, key="reward.format"),
            correctness=resolve_rule(correctness.rule, correctness.params, key="reward.correctness"),
            confidence=confidence_rule,
            invalid=_invalid_value(confidence, confidence_rule),
        )
        _check_deadlines(composition)
        return composition

    def score(self, sample: Sample, text: str, finish_reason: FinishReason) -> RewardedResponse:
        """Reward one response: `read` it, then `judge` it."""
        return self.judge(self.read(sample, text, finish_reason))

    def read(self, sample: Sample, text: str, finish_reason: FinishReason) -> RewardInput:
        """Find in a response what the rules judge, as the protocol reads it."""
        parsed = self._parse(text, finish_reason)
        return RewardInput(sample, text, parsed, self._is_correct(parsed, sample), finish_reason)

    def judge(self, x: RewardInput, known: Values | None = None) -> RewardedResponse:
        """Reward what was read. `terms` are weighted and sum to `total`.

        Masked are a total that is not finite, and an invalid confidence where the config says so.

        Args:
            x: the response as `read`.
            known: values of rules by term that were computed before; a rule that has one is not called.

        Raises:
            Exception: whatever a user's rule raises.
        """
        terms, parsed = self._terms(x, known or {}), x.parsed
        total = sum(terms.values())
        masked = None if math.isfinite(total) else "non-finite"
        if self.invalid is None and parsed.confidence is None and self._is_open("confidence", x):
            masked = f"invalid confidence: {parsed.confidence_problem}"
        return RewardedResponse(terms, total, x.correct, parsed.confidence, parsed.well_formed, parsed.answer, masked)

    def asks(self, name: TermName, x: RewardInput) -> RewardInput | None:
        """Return what the rule of a term is asked about a response, None if its value does not count."""
        if not self._is_open(name, x):
            return None
        if name != "confidence" or x.parsed.confidence is not None:
            return x
        stated = self.config.confidence.invalid_as
        return None if stated is None else replace(x, parsed=replace(x.parsed, confidence=stated))

    @property
    def rules(self) -> dict[TermName, ResolvedRule]:
        """The rule of each term."""
        return {"format": self.format, "correctness": self.correctness, "confidence": self.confidence}

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each term; a flat total weighs 1."""
        return term_weights(self.config)

    @property
    def worst_total(self) -> float:
        """The lowest total any response can get; -inf where a rule declares no worst value."""
        config, confidence = self.config, self.config.confidence
        worst_confidence = _or_unbounded(self.confidence.worst) + confidence.offset
        if self.invalid is not None and confidence.invalid_as is None:
            worst_confidence = min(worst_confidence, self.invalid)
        lowest = (
            (config.format.weight, _or_unbounded(self.format.worst), "none"),
            (config.correctness.weight, _or_unbounded(self.correctness.worst), config.correctness.gate),
            (confidence.weight, worst_confidence, confidence.gate),
        )
        total = sum(weight * (worst if gate == "none" else min(worst, 0.0)) for weight, worst, gate in lowest if weight)
        return total if config.malformed_total is None else min(total, config.malformed_total)

    def _parse(self, text: str, finish_reason: FinishReason) -> ParsedResponse:
        if self.config.protocol == "official":
            return parse_official_reward(text)
        read = keep_last(text) if self.config.repeated == "last-wins" else text
        parsed, rule = parse_response(read), self.config.well_formed
        problems = parsed.problems
        if rule == "answer-and-confidence":
            problems = () if parsed.answer else ("no_answer",)
        if rule != "grammar" and parsed.confidence_problem is not None:
            problems = (*problems, f"confidence:{parsed.confidence_problem}")
        if finish_reason == "length":
            problems = (*problems, "truncated")
        return replace(parsed, well_formed=not problems, problems=problems)

    def _is_correct(self, parsed: ParsedResponse, sample: Sample) -> bool:
        if self.config.protocol == "official":
            return official_answer_is_correct(parsed.answer, sample.label)
        if parsed.answer is None:
            return False
        taxonomy = taxonomy_of_question(sample.task, sample.candidates)
        answer = taxonomy.resolve(parsed.answer)
        return answer is not None and answer == taxonomy.resolve(sample.label)

    def _terms(self, x: RewardInput, known: Values) -> dict[str, float]:
        terms: dict[str, float] = {name: self._term(name, x, known) for name in TERMS}
        flat = self.config.malformed_total
        if flat is None:
            return terms
        return {**terms, "malformed": flat if self._is_flat(x) else 0.0}

    def _term(self, name: TermName, x: RewardInput, known: Values) -> float:
        if not self._is_open(name, x):
            return 0.0
        offset = self.config.confidence.offset if name == "confidence" else 0.0
        asked = self.asks(name, x)
        if asked is None:  # a valid confidence is missing
            return self.weights[name] * (self.invalid or 0.0)
        return self.weights[name] * ((known[name] if name in known else self.rules[name](asked)) + offset)

    def _is_open(self, name: TermName, x: RewardInput) -> bool:
        """Whether a term counts for a response: a term without weight is off, even if it were infinite."""
        gate = "none" if name == "format" else getattr(self.config, name).gate
        is_closed = (gate in ("format", "both") and not x.parsed.well_formed) or (
            gate in ("correctness", "both") and not x.correct
        )
        return self.weights[name] > 0 and not is_closed and not self._is_flat(x)

    def _is_flat(self, x: RewardInput) -> bool:
        return self.config.malformed_total is not None and not x.parsed.well_formed


def term_weights(config: RewardConfig, loss: LossConfig | None = None) -> dict[str, float]:
    """Return the weight of each term; a flat total weighs 1, and the KL penalty its coefficient, where `loss` is given.

    The terms of a `RewardedResponse` are weighted already; an estimator that rescales them needs these again.
    """
    weights: dict[str, float] = {name: getattr(config, name).weight for name in TERMS}
    return {**weights, "malformed": 1.0, **({} if loss is None else {"kl": loss.kl_coefficient})}


def _check_deadlines(composition: Composition) -> None:
    """Refuse scorers whose own deadlines a group's would cut off: they are asked one after the other."""
    limit_s = composition.config.timeout_s
    waits_s = {
        name: float(rule.params["timeout_s"])
        for name, rule in composition.rules.items()
        if rule.rule.name.startswith(SCHEMES) and composition.weights[name] > 0
    }
    total_s = sum(waits_s.values())
    if total_s >= limit_s:
        key = " + ".join(f"reward.{name}.params.timeout_s" for name in waits_s)
        rule = f"must be below reward.timeout_s, {limit_s:g} s, after which the whole group is masked"
        fix = f"Raise that one (--set reward.timeout_s={math.ceil(1.25 * total_s)}), or give the scorer less time."
        raise RewardError(key, total_s, rule=rule, fix=fix)


def _or_unbounded(worst: float | None) -> float:
    return -math.inf if worst is None else worst


def _invalid_value(config: ConfidenceTermConfig, rule: ResolvedRule) -> float | None:
    if config.invalid_as is not None:
        return 0.0  # never used: the rule is asked about the confidence it is taken as
    if config.invalid == "mask":
        return None
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
    return worst + config.offset
