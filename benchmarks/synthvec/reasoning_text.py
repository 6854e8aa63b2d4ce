"""The reasoning of a demonstration: words for what is seen, quantised. It never sees the label, so cannot leak it."""

from collections.abc import Sequence

import numpy as np

from emocal_rl.benchmarks.synthvec.scene import Scene

_LIGHT = (("black", "inky"), ("dark", "dusky"), ("grey", "plain"), ("pale", "light"), ("bright", "sunny"))
_VIEW = (("sharp", "clear", "crisp"), ("hazy", "soft"), ("foggy", "murky", "blurred"))
_MOUTH = (("scowling", "bent"), ("drooping", "turned down"), ("flat", "level"), ("curved up", "smiling"), ("beaming",))
_EYES = (("shut", "closed"), ("narrow", "slit"), ("half open",), ("open", "round"), ("wide", "staring"))
_SCENE = (("gloomy", "grim"), ("cold", "cool"), ("quiet", "neutral"), ("mild", "warm"), ("airy", "radiant"))
_SIZE = (("tiny",), ("small", "little"), ("medium",), ("large", "big"), ("huge", "giant"))
_VALENCE = (("bitter", "awful"), ("sour", "bad"), ("mixed", "even"), ("good", "nice"), ("lovely", "sweet"))
_AROUSAL = (("still", "numb"), ("slow", "calm"), ("steady",), ("lively", "tense"), ("intense", "wild"))
_DOMINANCE = (("helpless", "frail"), ("weak", "meek"), ("balanced",), ("strong", "firm"), ("mighty", "in charge"))

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

    def word(levels: Sequence[Sequence[str]], value: float) -> str:
        return choose(levels[min(int(value * len(levels)), len(levels) - 1)])

    words = {
        "light": word(_LIGHT, scene.context_valence),
        "view": choose(_VIEW[scene.clarity]),
        "mouth": word(_MOUTH, scene.face_valence),
        "eyes": word(_EYES, scene.arousal),
        "scene": word(_SCENE, scene.context_valence),
        "size": word(_SIZE, scene.dominance),
        "valence": word(_VALENCE, scene.valence),
        "arousal": word(_AROUSAL, scene.arousal),
        "dominance": word(_DOMINANCE, scene.dominance),
    }
    templates = {
        "element": _ELEMENT,
        "human": _HUMAN,
        "context": _CONTEXT,
        "interaction": _INTERACTION,
        "analysis": _ANALYSIS,
    }
    return {part: choose(wordings).format(**words) for part, wordings in templates.items()}
