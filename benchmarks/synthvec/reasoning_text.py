"""The reasoning of a demonstration: words for what is seen, quantised. It never sees the label, so cannot leak it."""

from collections.abc import Sequence

import numpy as np

from emocal_rl.benchmarks.synthvec.attribute_words import ATTRIBUTES
from emocal_rl.benchmarks.synthvec.scene import Scene

_ELEMENT = ("{light} ground, {view} view", "a {view} view on {light} ground", "{view}, the ground is {light}")
_HUMAN = ("{mouth} mouth, {eyes} eyes", "{eyes} eyes over a {mouth} mouth", "the eyes are {eyes}, the mouth {mouth}")
_CONTEXT = ("a {scene} place", "the place is {scene}", "it looks {scene}")
_INTERACTION = ("a {size} face before it", "the face is {size} in it", "{size} face against it")
_ANALYSIS = ("{valence}, {arousal}, {dominance}", "it feels {valence}, {arousal} and {dominance}")


def describe_scene(scene: Scene, rng: np.random.Generator) -> dict[str, str]:
    """Return the five reasoning parts for a scene, paraphrased by `rng`."""
    words = {attribute.name: _choose(attribute.levels[attribute.level(scene)], rng) for attribute in ATTRIBUTES}
    templates = {
        "element": _ELEMENT,
        "human": _HUMAN,
        "context": _CONTEXT,
        "interaction": _INTERACTION,
        "analysis": _ANALYSIS,
    }
    return {part: _choose(paraphrases, rng).format(**words) for part, paraphrases in templates.items()}


def _choose(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
