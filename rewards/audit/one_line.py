"""The verdict in one line, cheap enough to be printed before every run."""

import threading

from emocal_rl.platform.config.reward import AdvantageConfig, RewardConfig
from emocal_rl.rewards.audit.decoy import uniform_break_even
from emocal_rl.rewards.audit.honest_value import audit_honest_value
from emocal_rl.rewards.audit.landscape import CONFIDENCES, Landscape, answer_reward
from emocal_rl.rewards.audit.properness import Properness, audit_properness
from emocal_rl.rewards.audit.stable_confidence import polarises
from emocal_rl.rewards.audit.verdicts import normalizes_confidence


def one_line_verdict(
    reward: RewardConfig, advantage: AdvantageConfig, *, num_classes: int = 8, timeout_s: float = 5.0
) -> str:
    """Say whether the reward is proper, what the estimator does to it, and whether there is a decoy.

    A few hundred scored responses on two decimals, no flow. A rule that raises or takes longer than `timeout_s` is
    named instead: it must not hold up the run, which scores in processes of its own.
    """
    said: list[str] = []

    def say() -> None:
        try:
            said.append(_verdict(reward, advantage, num_classes))
        except Exception as error:  # noqa: BLE001 - a user's rule may raise anything; the run will mask it and say so
            said.append(f"not possible, {error}")

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return said[0] if said else f"no answer within {timeout_s:g} s: see `emocal-rl rewards audit`"


def _verdict(reward: RewardConfig, advantage: AdvantageConfig, num_classes: int) -> str:
    landscape, of_answers = Landscape.of(reward, num_classes), answer_reward(reward)
    answers = landscape if of_answers is reward else Landscape.of(of_answers, num_classes)
    value = audit_honest_value(answers, CONFIDENCES[1:-1])
    return "; ".join(
        (
            _reward(audit_properness(landscape)),
            _estimator(landscape, reward, advantage),
            _decoy(uniform_break_even(answers, value, num_classes), num_classes),
        )
    )


def _reward(properness: Properness) -> str:
    gain, p, c = properness.most_gain
    return {
        "proper": "proper",
        "flat": f"not strictly proper: at p = {properness.worst_probability:.2f} c = {properness.worst_confidence:.2f} "
        "pays as much as honesty",
        "improper": f"improper: at p = {p:.2f} c = {c:.2f} pays {gain:.3f} more than honesty",
    }[properness.verdict]


def _estimator(landscape: Landscape, reward: RewardConfig, advantage: AdvantageConfig) -> str:
    if reward.confidence.teaches == "confidence":
        return "its tokens follow it, raw"
    if not normalizes_confidence(reward, advantage):
        return f"{'batch-normalised' if advantage.normalize else 'raw'} advantages follow it"
    if polarises(landscape, epsilon=advantage.epsilon):
        return "normalised advantages polarise confidence where a group shares its answer"
    return "normalised advantages may bias it"


def _decoy(break_even: float | None, num_classes: int) -> str:
    return (
        f"no decoy with {num_classes} classes"
        if break_even is None
        else f"a decoy pays below p = {break_even:.2f} with {num_classes} classes"
    )
