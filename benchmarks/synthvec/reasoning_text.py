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
    """Return the five reasoning parts for a scene, paraphrased by `rng`."""
    words = {
        "light": _word(_LIGHT, scene.context_valence, rng),
        "view": _choose(_VIEW[scene.clarity], rng),
        "mouth": _word(_MOUTH, scene.face_valence, rng),
        "eyes": _word(_EYES, scene.arousal, rng),
        "scene": _word(_SCENE, scene.context_valence, rng),
        "size": _word(_SIZE, scene.dominance, rng),
        "valence": _word(_VALENCE, scene.valence, rng),
        "arousal": _word(_AROUSAL, scene.arousal, rng),
        "dominance": _word(_DOMINANCE, scene.dominance, rng),
    }
    templates = {
        "element": _ELEMENT,
        "human": _HUMAN,
        "context": _CONTEXT,
        "interaction": _INTERACTION,
        "analysis": _ANALYSIS,
    }
    return {part: _choose(paraphrases, rng).format(**words) for part, paraphrases in templates.items()}


def _word(levels: Sequence[Sequence[str]], value: float, rng: np.random.Generator) -> str:
    return _choose(levels[min(int(value * len(levels)), len(levels) - 1)], rng)


def _choose(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
