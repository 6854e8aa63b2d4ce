"""The reasoning of a demonstration: words for what is seen, quantised. It never sees the label, so cannot leak it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emocal_rl.benchmarks.synthvec.attribute_words import ATTRIBUTES, Attribute
from emocal_rl.benchmarks.synthvec.scene import Scene

_SENTENCES = {
    "element": "{light} ground, {view} view",
    "human": "{mouth} mouth, {eyes} eyes",
    "context": "the place is {scene}",
    "interaction": "a {size} face before it",
    "analysis": "{valence}, {arousal}, {dominance}",
}
_NOTES = {
    "element": "{light} {view}",
    "human": "{mouth} {eyes}",
    "context": "{scene}",
    "interaction": "{size}",
    "analysis": "{valence} {arousal} {dominance}",
}


@dataclass(frozen=True, slots=True)
class _Sight:
    """How a view of some clarity is told: in guesses at each attribute, each off by N(0, `error`²)."""

    templates: Mapping[str, str]
    num_guesses: int
    error: float
    settled: bool
    """Whether a level is always told by its first word."""


_CLEAR = _Sight(_SENTENCES, 1, 0.0, settled=True)
_HAZY = _Sight(_NOTES, 2, 0.1, settled=False)
_FOGGY = _Sight(_NOTES, 3, 0.3, settled=False)


def describe_scene(scene: Scene, rng: np.random.Generator) -> dict[str, str]:
    """Return the five reasoning parts for a scene, worded by `rng`.

    What is clear is told in settled sentences; the worse the view, the more guesses in notes, and the further off. So
    the mean token probability, and with it the confidence of equation 2, tells how well the image can be seen, and
    right answers are taught confidences from .65 to .97: stage 3 can only reinforce what the policy states at times.
    """
    sight = (_CLEAR, _HAZY, _FOGGY)[scene.clarity]
    words = {attribute.name: _tell(attribute, scene, sight, rng) for attribute in ATTRIBUTES}
    return {part: template.format(**words) for part, template in sight.templates.items()}


def _tell(attribute: Attribute, scene: Scene, sight: _Sight, rng: np.random.Generator) -> str:
    value = attribute.value(scene)
    if attribute.name == "view":  # nobody has to guess whether there is fog
        return _word(attribute, value, sight, rng)
    guesses = (value + rng.normal(0, sight.error, sight.num_guesses)).tolist()
    return " ".join(_word(attribute, min(max(guess, 0.0), 1.0), sight, rng) for guess in guesses)


def _word(attribute: Attribute, value: float, sight: _Sight, rng: np.random.Generator) -> str:
    words = attribute.levels[attribute.level_at(value)]
    return words[0 if sight.settled else int(rng.integers(len(words)))]
