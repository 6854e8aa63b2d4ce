import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.emotions.taxonomy import TASK_TAXONOMIES, TAXONOMIES
from emocal_rl.platform.errors import RewardError
from emocal_rl.platform.responses.grammar import render_response
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.group_scoring import Text, score_group

Array = npt.NDArray[np.float64]

CONFIDENCES: Array = np.arange(101) / 100
"""The confidences a policy states: two decimals."""
MOST_CLASSES = max(len(taxonomy.labels) for taxonomy in TAXONOMIES.values())
_PARTS = {part: f"What the {part} shows." for part in REASONING_PARTS}


@dataclass(frozen=True)
class Landscape:
    """What a composition pays for a right and a wrong answer at each confidence, by scoring rendered responses.

    Any rule can stand in the composition. `wrong_answers` are the labels that are scored for a wrong answer, whose
    totals are averaged: one where the confidence changes all wrong labels' totals alike, else all of them. `credits` is
    what each wrong label earns beyond the scored ones (soft credit). A masked response is NaN.
    """

    composition: Composition
    sample: Sample
    wrong_answers: tuple[str, ...]
    credits: tuple[float, ...] = (0.0,)
    _scored: dict[Text, float] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, config: RewardConfig, num_classes: int = 8) -> "Landscape":
        """Score a question with `num_classes` candidates, its first label the right one.

        Raises:
            RewardError: a rule cannot be resolved, or raises on a plain response.
        """
        sample = question_with(num_classes)
        wrong_answers = sample.candidates[1:]
        landscape = cls(Composition.from_config(config), sample, wrong_answers)
        totals = landscape.totals([(landscape.render(answer, 0.5), "stop") for answer in wrong_answers])
        if len(set(totals)) == 1:
            return replace(landscape, wrong_answers=wrong_answers[:1])
        by_label = landscape.totals_of(wrong_answers, CONFIDENCES)
        credits_ = np.array(totals)[:, None] - totals[0]
        if np.allclose(by_label, by_label[:1] + credits_, rtol=0, atol=1e-9, equal_nan=True):
            return replace(landscape, wrong_answers=wrong_answers[:1], credits=tuple(credits_[:, 0].tolist()))
        return landscape

    def right(self, confidence: float) -> float:
        """Total of a right answer at a confidence in [0, 1]."""
        return float(self.rights([confidence])[0])

    def wrong(self, confidence: float) -> float:
        """Total of a wrong answer, the mean over wrong labels where they differ."""
        return float(self.wrongs([confidence])[0])

    def best_wrong(self, confidence: float) -> float:
        """Total of the wrong answer that pays most."""
        return float(self.totals_of(self.wrong_answers, [confidence]).max()) + max(self.credits)

    def expected(self, probability: float, confidence: float) -> float:
        """Expected total of an answer that is right with `probability`."""
        right = probability * self.right(confidence) if probability > 0 else 0.0
        return right + ((1 - probability) * self.wrong(confidence) if probability < 1 else 0.0)

    def honest(self, probability: float) -> float:
        """Expected total of stating the probability itself."""
        return self.expected(probability, probability)

    def rights(self, confidences: Sequence[float] | Array) -> Array:
        """`right` of each confidence."""
        totals: Array = self.totals_of([self.sample.label], confidences)[0]
        return totals

    def wrongs(self, confidences: Sequence[float] | Array) -> Array:
        """`wrong` of each confidence."""
        mean: Array = self.totals_of(self.wrong_answers, confidences).mean(axis=0) + np.mean(self.credits)
        return mean

    def totals_of(self, answers: Sequence[str], confidences: Sequence[float] | Array) -> Array:
        """Totals (answers, confidences)."""
        texts: list[Text] = [(self.render(answer, float(c)), "stop") for answer in answers for c in confidences]
        return np.reshape(self.totals(texts), (len(answers), -1))

    def totals(self, texts: Sequence[Text]) -> list[float]:
        """Total of any texts as responses to the question, NaN where masked; what is new is asked for at once.

        Raises:
            RewardError: a rule raises.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self._scored]
        for text, rewarded in zip(new, score_group(self.composition, self.sample, new), strict=True):
            if (rewarded.masked or "").startswith("error"):
                rule = f"cannot score the plain response {text[0]!r}: {rewarded.masked}"
                raise RewardError("reward", rule=rule, fix="Correct the rule, or its settings.")
            self._scored[text] = math.nan if rewarded.masked else rewarded.total
        return [self._scored[text] for text in texts]

    def render(self, answer: str, confidence: float | str | None) -> str:
        """Write a well-formed response; a number is written as a plain decimal."""
        if isinstance(confidence, float | int):
            confidence = np.format_float_positional(confidence, precision=12, trim="-")
        return render_response(_PARTS, answer, confidence)


def question_with(num_classes: int) -> Sample:
    """Return a question with that many candidates: a shipped taxonomy of the size, or the first labels of the largest.

    Raises:
        RewardError: fewer than 2 or more than the largest taxonomy has.
    """
    if not 2 <= num_classes <= MOST_CLASSES:
        raise RewardError("--num-classes", num_classes, rule=f"must be between 2 and {MOST_CLASSES}")
    sizes = {len(taxonomy.labels): taxonomy for taxonomy in TAXONOMIES.values()}
    taxonomy = sizes.get(num_classes, sizes[MOST_CLASSES])
    task = next(task for task, name in TASK_TAXONOMIES.items() if name == taxonomy.name)
    labels = taxonomy.labels[:num_classes]
    return Sample("audit", (), "Which emotion does the picture evoke?", labels, labels[0], task)


def answer_reward(config: RewardConfig) -> RewardConfig:
    """Return what the tokens of the answer learn from: the composition, less a confidence term that teaches others."""
    if config.confidence.teaches == "response":
        return config
    return config.model_copy(update={"confidence": config.confidence.model_copy(update={"weight": 0.0})})


def without_clip(config: RewardConfig) -> RewardConfig:
    """Return the composition with its confidence rule's `clip` at 0; the same where the rule has none."""
    params = config.confidence.params
    if "clip" not in Composition.from_config(config).confidence.params:
        return config
    term = config.confidence.model_copy(update={"params": {**params, "clip": 0.0}, "invalid": 0.0})
    return config.model_copy(update={"confidence": term})
