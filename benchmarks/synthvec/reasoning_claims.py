"""Is what a text says about an image of the world true? Its attribute words are claims, the scene is known."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from emocal_rl.benchmarks.synthvec.attribute_words import ATTRIBUTES, Attribute
from emocal_rl.benchmarks.synthvec.scene import Scene


@dataclass(frozen=True, slots=True)
class Claim:
    """One attribute word found in the part it belongs to. `distance` is how many levels it is off; 0 is right."""

    attribute: str
    word: str
    distance: int


def read_claims(reasoning: Mapping[str, str], scene: Scene) -> list[Claim]:
    """Return every claim in the five parts, in the world's own words; what is said in other words is not seen.

    Args:
        reasoning: text by part.
        scene: what the image shows.
    """
    claims = []
    for attribute in ATTRIBUTES:
        truth = attribute.level(scene)
        for word in _pattern(attribute.part).findall(reasoning.get(attribute.part, "").casefold()):
            if word in attribute.words:
                level = next(index for index, words in enumerate(attribute.levels) if word in words)
                claims.append(Claim(attribute.name, word, abs(level - truth)))
    return claims


@cache
def _pattern(part: str) -> re.Pattern[str]:
    """All words of a part, longest first: `half open` is one claim, not `open`."""
    attributes: list[Attribute] = [attribute for attribute in ATTRIBUTES if attribute.part == part]
    words = sorted((word for attribute in attributes for word in attribute.words), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b")
