import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from emocal_rl.platform.config.reward import AdvantageConfig, RewardConfig
from emocal_rl.rewards.audit.bounds import Bounds, audit_bounds
from emocal_rl.rewards.audit.decoy import Decoy, audit_decoys
from emocal_rl.rewards.audit.estimator_effect import PROBABILITIES, EstimatorEffect, audit_estimators
from emocal_rl.rewards.audit.honest_value import HonestValue, audit_honest_value
from emocal_rl.rewards.audit.landscape import CONFIDENCES, Array, Landscape, answer_reward, without_clip
from emocal_rl.rewards.audit.properness import Properness, audit_properness
from emocal_rl.rewards.audit.safe_exits import SafeExit, audit_safe_exits
from emocal_rl.rewards.audit.verdicts import (
    Verdict,
    estimator_name,
    judge_bounds,
    judge_decoys,
    judge_effect,
    judge_exits,
    judge_properness,
    judge_value,
    normalizes_confidence,
)


@dataclass(frozen=True)
class Audit:
    """What a reward composition and an advantage estimator will do to stated confidence, before any training.

    `right`, `wrong`: (101,) totals of a right and a wrong answer at each confidence of two decimals.
    """

    reward: RewardConfig
    advantage: AdvantageConfig
    group_size: int
    num_classes: int
    right: Array
    wrong: Array
    properness: Properness
    value: HonestValue
    decoys: tuple[Decoy, ...]
    exits: tuple[SafeExit, ...]
    bounds: Bounds
    effects: tuple[EstimatorEffect, ...]

    @property
    def configured(self) -> EstimatorEffect:
        """The configured estimator from a uniform start, correctness shared: what the verdict comes from."""
        correctness = "shared" if normalizes_confidence(self.reward, self.advantage) else "any"
        return next(effect for effect in self.effects if effect.correctness == correctness)

    @property
    def estimator(self) -> str:
        """Name of the configured estimator, as in `estimator_name`."""
        return estimator_name(self.reward, self.advantage)

    @property
    def is_proper(self) -> bool:
        """Whether the reward is proper and the estimator keeps it so."""
        return self.properness.verdict == "proper" and self.configured.verdict in ("proper", "nearly proper")

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict for each question, the effects from a uniform start."""
        uniform = [effect for effect in self.effects if effect.start == self.effects[0].start]
        return (
            judge_properness(self.properness),
            judge_value(self.value),
            judge_decoys(self.decoys, self.num_classes),
            judge_exits(self.exits),
            judge_bounds(self.bounds),
            *(judge_effect(effect, self.group_size) for effect in uniform),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; what is not finite is None."""
        plain: dict[str, Any] = _plain(
            {
                "proper": self.is_proper,
                "preset": self.reward.preset,
                "rule": self.reward.confidence.rule,
                "estimator": self.estimator,
                "group_size": self.group_size,
                "num_classes": self.num_classes,
                "verdicts": [asdict(verdict) for verdict in self.verdicts],
                "properness": {
                    "verdict": self.properness.verdict,
                    "bias": self.properness.bias,
                    "gain": dict(zip(("total", "p", "c"), self.properness.most_gain, strict=True)),
                    "p": CONFIDENCES,
                    "best_c": self.properness.best,
                },
                "honest_value": {
                    "p": self.value.probabilities[9::10],
                    "total": self.value.values[9::10],
                    "falls": [asdict(fall) for fall in self.value.falls],
                    "minimum": dict(zip(("p", "total"), self.value.minimum, strict=True)),
                },
                "totals": {"c": CONFIDENCES, "right": self.right, "wrong": self.wrong},
                "decoys": [asdict(decoy) for decoy in self.decoys],
                "exits": [asdict(exit_) for exit_ in self.exits],
                "bounds": asdict(self.bounds),
                "effects": [
                    {
                        **asdict(effect),
                        "p": PROBABILITIES,
                        "bias": effect.bias,
                        "bias_by_p": effect.mean - PROBABILITIES,
                        "policy": effect.policy.T,
                    }
                    for effect in self.effects
                ],
            }
        )
        return plain


def audit(
    reward: RewardConfig,
    advantage: AdvantageConfig,
    *,
    group_size: int,
    num_classes: int = 8,
    num_levels: int = 11,
    starts: Mapping[str, Sequence[float]] | None = None,
) -> Audit:
    """Audit a composition through the code that scores rollouts.

    Args:
        reward: the composition.
        advantage: the estimator that the verdict is about; raw and normalised are both followed, but a confidence term
            that teaches its own tokens is raw under any.
        group_size: responses of a group.
        num_classes: candidates of the question.
        num_levels: confidences that the softmax policy chooses from.
        starts: histograms of stated confidences by name, beside the uniform start.

    Raises:
        RewardError: the composition cannot be resolved, or a rule raises on a plain response.
    """
    of_answers = answer_reward(reward)
    landscape = Landscape.of(reward, num_classes)
    answers = landscape if of_answers is reward else Landscape.of(of_answers, num_classes)
    begins: dict[str, Sequence[float] | None] = {"uniform": None, **(starts or {})}
    # First, because it refuses what is not finite.
    effects = audit_estimators(landscape, num_levels, group_size, advantage.epsilon, begins)
    unclipped_reward = without_clip(of_answers)
    unclipped = answers if unclipped_reward is of_answers else Landscape.of(unclipped_reward, num_classes)
    value = audit_honest_value(answers)
    return Audit(
        reward,
        advantage,
        group_size,
        num_classes,
        landscape.rights(CONFIDENCES),
        landscape.wrongs(CONFIDENCES),
        audit_properness(landscape),
        value,
        tuple(audit_decoys(answers, value, unclipped, num_classes)),
        tuple(audit_safe_exits(landscape, value if answers is landscape else audit_honest_value(landscape))),
        audit_bounds(landscape),
        tuple(effect for effect in effects if reward.confidence.teaches == "response" or effect.advantage == "raw"),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, float):  # NumPy's too
        return float(value) if math.isfinite(value) else None
    return value
