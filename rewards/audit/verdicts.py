"""One verdict for each question of an audit: in words, with the number behind it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from emocal_rl.platform.config.reward import AdvantageConfig, RewardConfig
from emocal_rl.rewards.audit.bounds import Bounds
from emocal_rl.rewards.audit.decoy import Decoy
from emocal_rl.rewards.audit.estimator_effect import PROBABILITIES, EstimatorEffect
from emocal_rl.rewards.audit.honest_value import HonestValue
from emocal_rl.rewards.audit.properness import Properness
from emocal_rl.rewards.audit.safe_exits import Interval, SafeExit

Tone = Literal["good", "warning", "bad"]


@dataclass(frozen=True)
class Verdict:
    """The answer to one question. `number` is what it rests on, as `unit` says; None where there is none."""

    question: str
    answer: str
    tone: Tone
    number: float | None
    unit: str


def judge_properness(properness: Properness) -> Verdict:
    """Is the honest confidence the best one?"""
    gain, p, c = properness.most_gain
    question, unit = "Is the reward proper?", "largest |c* - p|"
    if properness.verdict == "proper":
        answer = "Proper: c*(p) = p on all confidences of two decimals."
    elif properness.verdict == "flat":
        p, c = properness.worst_probability, properness.worst_confidence
        answer = f"Not strictly: honesty is among the best, but at p = {p:.2f} c = {c:.2f} pays as much."
    else:
        answer = f"Improper: at p = {p:.2f}, c = {c:.2f} pays {gain:.3f} more than honesty."
    return Verdict(question, answer, "good" if properness.verdict == "proper" else "bad", properness.bias, unit)


def judge_value(value: HonestValue) -> Verdict:
    """Does a better answer, honestly stated, earn more?"""
    question, unit = "Does honesty pay more the better the answer?", "p below which it falls"
    if not value.falls:
        return Verdict(question, "Yes: the honest value rises with p throughout.", "good", None, unit)
    parts = [
        f"falls by {fall.depth:.3f} {f'until p = {fall.end:.3f}' if not fall.start else _between(fall.start, fall.end)}"
        for fall in value.falls
    ]
    answer = f"Not throughout: the honest value {', '.join(parts)}."
    return Verdict(question, answer, "warning", value.falls[-1].end, unit)


def judge_decoys(decoys: Sequence[Decoy], num_classes: int) -> Verdict:
    """Does a deliberately wrong answer beat honesty?"""
    question, unit = "Does a decoy beat honesty?", f"p below which it does, K = {num_classes}"
    certain = next(decoy for decoy in decoys if decoy.confidence == 0.0)
    uniform = next(decoy for decoy in decoys if decoy.num_classes == num_classes)
    if certain.configured is None and uniform.configured is None:
        return Verdict(question, "No: no wrong answer pays more than the honest one.", "good", None, unit)
    against = f"a certainly wrong label stated with c → 0 below p = {_three(certain.configured)}"
    rest = (
        f"with {num_classes} classes and the rest uniform below p = {uniform.configured:.3f}"
        if uniform.configured is not None
        else f"with {num_classes} classes and the rest uniform never"
    )
    return Verdict(question, f"Yes: {against}; {rest}.", "warning", uniform.configured, unit)


def judge_exits(exits: Sequence[SafeExit]) -> Verdict:
    """Does malformed output pay?"""
    question, unit = "Is there a safe exit?", "least that honesty is ahead"
    masked = [exit_.name for exit_ in exits if math.isnan(exit_.right) or math.isnan(exit_.wrong)]
    scored = [exit_ for exit_ in exits if not math.isnan(exit_.margin)]
    margin = min((exit_.margin for exit_ in scored), default=None)
    winning = [exit_ for exit_ in scored if exit_.beats_honesty]
    if winning:
        worst = min(winning, key=lambda exit_: exit_.margin)
        where = _intervals("p", worst.beats_honesty)
        answer = f"Yes: “{worst.name}” beats the honest expectation at {where}."
        return Verdict(question, answer, "bad", margin, unit)
    if masked:
        names = ", ".join(f"“{name}”" for name in masked)
        return Verdict(question, f"Yes: {names} is masked, so it is never punished.", "warning", margin, unit)
    realised = [exit_ for exit_ in scored if exit_.beats_wrong]
    if realised:
        worst = max(realised, key=lambda exit_: exit_.beats_wrong[-1][1] - exit_.beats_wrong[-1][0])
        where = _intervals("c", worst.beats_wrong)
        pays = f"“{worst.name}” ({worst.wrong:.4g}) beats a wrong answer at {where}, never the honest expectation."
        return Verdict(question, f"Only in hindsight: {pays}", "warning", margin, unit)
    return Verdict(question, "No: malformed output never pays more than an answer.", "good", margin, unit)


def judge_bounds(bounds: Bounds) -> Verdict:
    """Can one response earn or cost any amount?"""
    question, unit = "Is it bounded?", "lowest total on two decimals"
    if bounds.masked:
        where = ", ".join(bounds.masked)
        answer = f"Not finite for {where}: such a response is masked, so it is never punished."
        return Verdict(question, answer, "bad", bounds.lowest, unit)
    if bounds.unbounded:
        answer = f"Unbounded: {', '.join(bounds.unbounded)}; {bounds.lowest:.3f} on two decimals."
        return Verdict(question, answer, "warning", bounds.lowest, unit)
    answer = f"Bounded: totals of well-formed answers lie in [{bounds.lowest:.3f}, {bounds.highest:.3f}]."
    return Verdict(question, answer, "good", bounds.lowest, unit)


def judge_effect(effect: EstimatorEffect, group_size: int) -> Verdict:
    """What does an estimator make of it?"""
    same = {"any": "", "shared": ", correctness shared", "independent": ", correctness independent"}
    question = f"{effect.advantage.capitalize()} advantages{same[effect.correctness]}, G = {group_size}?"
    worst = int(np.abs(effect.mean - PROBABILITIES).argmax())
    moved = f"at p = {PROBABILITIES[worst]:.1f} confidence ends at {effect.mean[worst]:.2f}"
    answer = {
        "proper": "Proper: confidence ends at p.",
        "nearly proper": f"Nearly proper: {moved}.",
        "biased": f"Biased: {moved}.",
        "polarising": f"Polarising: only the extremes are stable; {moved}.",
        "held by its start": f"Held by its start: {moved}.",
        "no gradient": "No gradient: every group has zero variance.",
    }[effect.verdict]
    tone: Tone = "good" if effect.verdict in ("proper", "nearly proper") else "bad"
    if effect.correctness == "independent" and tone == "bad":
        tone = "warning"  # the verdict comes from shared correctness
    return Verdict(question, answer, tone, effect.bias, "largest |mean - p|")


def estimator_name(reward: RewardConfig, advantage: AdvantageConfig) -> str:
    """Name an estimator for people: `raw`, `normalised`, `rloo, raw`, `normalised (raw on the confidence)`, ..."""
    scale = "normalised" if advantage.normalize else "raw"
    name = scale if advantage.estimator == "grpo" else f"{advantage.estimator}, {scale}"
    return name if reward.confidence.teaches == "response" else f"{name} (raw on the confidence)"


def normalizes_confidence(reward: RewardConfig, advantage: AdvantageConfig) -> bool:
    """Tell whether what teaches confidence is divided by a group's own standard deviation.

    Over a batch (`batch`) it is one scale for all groups, and the expected direction is the raw one; a confidence term
    that teaches its own tokens stays raw.
    """
    return advantage.normalize and advantage.estimator != "batch" and reward.confidence.teaches == "response"


def _between(start: float, end: float) -> str:
    return f"between p = {start:.3f} and {end:.3f}"


def _intervals(name: str, intervals: Sequence[Interval]) -> str:
    return " and ".join(_interval(name, *interval) for interval in intervals)


def _interval(name: str, start: float, end: float) -> str:
    if start <= 0 and end >= 1:
        return f"every {name}"
    if end >= 1:
        return f"{name} > {start:.4f}"
    return f"{name} < {end:.4f}" if start <= 0 else f"{start:.4f} < {name} < {end:.4f}"


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
