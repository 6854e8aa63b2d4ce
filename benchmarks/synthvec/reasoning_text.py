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
    """Return the five reasoning parts for a scene, paraphrased by `rng`.

    A clear view has one settled wording, a hazy one varies between two, a foggy one between all there are. So the mean
    token probability, and with it the confidence of equation 2, tells how well the image can be seen.
    """
    num_wordings = scene.clarity + 1

    def choose(wordings: Sequence[str]) -> str:
        return wordings[int(rng.integers(min(num_wordings, len(wordings))))]

    words = {attribute.name: choose(attribute.levels[attribute.level(scene)]) for attribute in ATTRIBUTES}
    templates = {
        "element": _ELEMENT,
        "human": _HUMAN,
        "context": _CONTEXT,
        "interaction": _INTERACTION,
        "analysis": _ANALYSIS,
    }
    return {part: choose(wordings).format(**words) for part, wordings in templates.items()}
