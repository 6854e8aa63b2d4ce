"""The words for what an image of the world shows: per attribute a scale of levels, per level its words."""

from collections.abc import Callable
from dataclasses import dataclass

from emocal_rl.benchmarks.synthvec.scene import Scene


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing to be said about a scene, in one part of the reasoning. `levels` go from low to high."""

    name: str
    part: str
    levels: tuple[tuple[str, ...], ...]
    value: Callable[[Scene], float]
    """The attribute in [0, 1]; equal shares of it are the levels."""

    def level(self, scene: Scene) -> int:
        """Return the index of the level that is true of a scene."""
        return self.level_at(self.value(scene))

    def level_at(self, value: float) -> int:
        """Return the index of the level that a value of the attribute is in."""
        return min(int(value * len(self.levels)), len(self.levels) - 1)

    @property
    def words(self) -> tuple[str, ...]:
        """All words of the attribute, from low to high."""
        return tuple(word for level in self.levels for word in level)


ATTRIBUTES = (
    Attribute(
        "light",
        "element",
        (("black", "inky"), ("dark", "dusky"), ("grey", "plain"), ("pale", "light"), ("bright", "sunny")),
        lambda scene: scene.context_valence,
    ),
    Attribute(
        "view",
        "element",
        (("sharp", "clear", "crisp"), ("hazy", "soft"), ("foggy", "murky", "blurred")),
        lambda scene: scene.clarity / 3,
    ),
    Attribute(
        "mouth",
        "human",
        (("scowling", "bent"), ("drooping", "turned down"), ("flat", "level"), ("curved up", "smiling"), ("beaming",)),
        lambda scene: scene.face_valence,
    ),
    Attribute(
        "eyes",
        "human",
        (("shut", "closed"), ("narrow", "slit"), ("half open",), ("open", "round"), ("wide", "staring")),
        lambda scene: scene.arousal,
    ),
    Attribute(
        "scene",
        "context",
        (("gloomy", "grim"), ("cold", "cool"), ("quiet", "neutral"), ("mild", "warm"), ("airy", "radiant")),
        lambda scene: scene.context_valence,
    ),
    Attribute(
        "size",
        "interaction",
        (("tiny",), ("small", "little"), ("medium",), ("large", "big"), ("huge", "giant")),
        lambda scene: scene.dominance,
    ),
    Attribute(
        "valence",
        "analysis",
        (("bitter", "awful"), ("sour", "bad"), ("mixed", "even"), ("good", "nice"), ("lovely", "sweet")),
        lambda scene: scene.valence,
    ),
    Attribute(
        "arousal",
        "analysis",
        (("still", "numb"), ("slow", "calm"), ("steady",), ("lively", "tense"), ("intense", "wild")),
        lambda scene: scene.arousal,
    ),
    Attribute(
        "dominance",
        "analysis",
        (("helpless", "frail"), ("weak", "meek"), ("balanced",), ("strong", "firm"), ("mighty", "in charge")),
        lambda scene: scene.dominance,
    ),
)


def vocabulary() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return part -> attribute -> its words from low to high."""
    words: dict[str, dict[str, tuple[str, ...]]] = {}
    for attribute in ATTRIBUTES:
        words.setdefault(attribute.part, {})[attribute.name] = attribute.words
    return words
