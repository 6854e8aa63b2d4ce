from collections.abc import Sequence

from emocal_rl.platform.contracts import FinishReason, RewardedResponse, Sample
from emocal_rl.platform.errors import EmoCalError
from emocal_rl.rewards.composition import TERMS, Composition, TermName
from emocal_rl.rewards.registry import RewardInput

Text = tuple[str, FinishReason]


def masked_response(reason: str) -> RewardedResponse:
    """A response that takes no part in the update, and why."""
    return RewardedResponse(
        terms={}, total=0.0, correct=False, confidence=None, well_formed=False, answer=None, masked=reason
    )


def score_group(composition: Composition, sample: Sample, texts: Sequence[Text]) -> list[RewardedResponse]:
    """Reward the responses to one sample; one whose rule fails is masked with the reason.

    Rules that are asked about many responses at once (HTTP scorers) are asked once, about those they count for.
    """
    try:
        inputs = [composition.read(sample, text, finish_reason) for text, finish_reason in texts]
    except EmoCalError as error:  # a question whose labels nobody knows
        return [masked_response(f"error: {type(error).__name__}: {error}")] * len(texts)
    known: list[dict[TermName, float]] = [{} for _ in inputs]
    problems: list[str | None] = [None] * len(inputs)
    for name in TERMS:
        _ask_at_once(composition, name, inputs, known, problems)
    return [
        masked_response(problem) if problem else score_or_mask(composition, x, values)
        for x, values, problem in zip(inputs, known, problems, strict=True)
    ]


def score_or_mask(
    composition: Composition, x: RewardInput, known: dict[TermName, float] | None = None
) -> RewardedResponse:
    """`Composition.judge`, but an error of a user's rule masks the response with the reason."""
    try:
        return composition.judge(x, known)
    except Exception as error:  # noqa: BLE001 - user code: whatever it raises is reported and masks the response
        return masked_response(f"error: {type(error).__name__}: {error}")


def _ask_at_once(
    composition: Composition,
    name: TermName,
    inputs: Sequence[RewardInput],
    known: list[dict[TermName, float]],
    problems: list[str | None],
) -> None:
    """Fill in the values of a term whose rule takes many responses; where there is none, the problem."""
    rule = composition.rules[name]
    asked = {index: x for index, read in enumerate(inputs) if (x := composition.asks(name, read)) is not None}
    if rule.rule.ask_all is None or not asked:
        return
    try:
        values = rule.rule.ask_all(list(asked.values()), **rule.params)
    except Exception as error:  # noqa: BLE001 - as in `score_or_mask`
        for index in asked:
            problems[index] = f"error: {type(error).__name__}: {error}"
        return
    for index, value in zip(asked, values, strict=True):
        if value is None:
            problems[index] = f"error: {rule.rule.name} has no score for this response"
        else:
            known[index][name] = value
