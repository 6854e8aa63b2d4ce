"""The reasoning of a demonstration: words for what is seen, quantised. It never sees the label, so cannot leak it."""

from dataclasses import dataclass

import numpy as np

from emocal_rl.benchmarks.synthvec.attribute_words import ATTRIBUTES, Attribute
from emocal_rl.benchmarks.synthvec.scene import Scene

_SENTENCES = {
    "element": "{light} ground, {view} view",
    "human": "{mouth} mouth, {eyes} eyes",
    "context": "a {scene} place",
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
class _Telling:
    """How a view of some clarity is told: by guesses at each attribute, each off by N(0, `error`²) and put in a word.

    A settled telling has one word for a level, any other all its words.
    """

    templates: dict[str, str]
    num_guesses: int
    error: float
    is_settled: bool


_TELLINGS = (
    _Telling(_SENTENCES, num_guesses=1, error=0.0, is_settled=True),
    _Telling(_NOTES, num_guesses=1, error=0.15, is_settled=False),
    _Telling(_NOTES, num_guesses=3, error=0.3, is_settled=False),
)
"""Clear, hazy, foggy."""


def describe_scene(scene: Scene, rng: np.random.Generator) -> dict[str, str]:
    """Return the five reasoning parts for a scene, told by `rng`.

    What is seen clearly is told in settled sentences, what is hazy in notes, what is foggy in guesses. So the mean
    token probability, and with it the confidence of equation 2, tells how well the image can be seen: without such a
    spread a model learns no confidence between .5 and .9, and stage 3 has nothing there to reinforce.
    """
    telling = _TELLINGS[scene.clarity]
    words = {attribute.name: _tell(attribute, scene, telling, rng) for attribute in ATTRIBUTES}
    return {part: template.format(**words) for part, template in telling.templates.items()}


def _tell(attribute: Attribute, scene: Scene, telling: _Telling, rng: np.random.Generator) -> str:
    if attribute.name == "view":  # nobody has to guess whether there is fog
        return _word(attribute, attribute.value(scene), telling, rng)
    errors = rng.normal(0, telling.error, telling.num_guesses)
    seen = np.clip(attribute.value(scene) + errors, 0, 1)
    return " ".join(_word(attribute, value, telling, rng) for value in seen.tolist())


def _word(attribute: Attribute, value: float, telling: _Telling, rng: np.random.Generator) -> str:
    words = attribute.levels[attribute.level_at(value)]
    return words[0] if telling.is_settled else words[int(rng.integers(len(words)))]
