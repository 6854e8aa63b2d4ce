"""The reasoning of a demonstration: words for what is seen, quantised. It never sees the label, so cannot leak it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emocal_rl.benchmarks.synthvec.attribute_words import ATTRIBUTES, Attribute
from emocal_rl.benchmarks.synthvec.scene import Scene

_TEMPLATES = {
    "element": "{light} {view}",
    "human": "{mouth} {eyes}",
    "context": "{scene}",
    "interaction": "{size}",
    "analysis": "{valence} {arousal} {dominance}",
}


@dataclass(frozen=True, slots=True)
class _Sight:
    """How a view of some clarity is told: in guesses at each attribute, each off by N(0, `error`²)."""

    num_guesses: int
    error: float


_SIGHTS = (_Sight(1, 0.0), _Sight(2, 0.15), _Sight(3, 0.3))
"""Clear, hazy, foggy."""


def describe_scene(scene: Scene, rng: np.random.Generator) -> dict[str, str]:
    """Return the five reasoning parts for a scene, in notes worded by `rng`.

    The worse the view, the more guesses, and the further off. So the mean token probability, and with it the confidence
    of equation 2, tells how well the image can be seen, and is low enough that right answers are taught confidences
    from .65 up: without them stage 3 has nothing between .5 and .9 to reinforce.
    """
    words = {attribute.name: _tell(attribute, scene, rng) for attribute in ATTRIBUTES}
    return {part: template.format(**words) for part, template in _TEMPLATES.items()}


def _tell(attribute: Attribute, scene: Scene, rng: np.random.Generator) -> str:
    sight = _SIGHTS[scene.clarity]
    if attribute.name == "view":  # nobody has to guess whether there is fog
        sight = _SIGHTS[0]
    seen = attribute.value(scene) + rng.normal(0, sight.error, sight.num_guesses)
    levels = [attribute.level_at(min(max(value, 0.0), 1.0)) for value in seen.tolist()]
    return " ".join(_word(attribute.levels[level], rng) for level in levels)


def _word(words: Sequence[str], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]
