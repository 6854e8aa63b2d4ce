"""Emotion rings: each taxonomy's labels on the shortest closed loop through their (valence, arousal, dominance) points.

Only the derived arc positions are shipped (perimeter 1), never the values of the lexicon they came from. Siblings of
WebEmo-25 are adjacent.
"""

from collections.abc import Mapping

from emocal_rl.platform.emotions.taxonomy import Taxonomy
from emocal_rl.platform.errors import DataError

_WEBEMO7 = {
    "love": 0.0,
    "joy": 0.0698,
    "surprise": 0.1462,
    "anger": 0.3563,
    "fear": 0.4672,
    "confusion": 0.5412,
    "sadness": 0.6719,
}

Rings = Mapping[str, Mapping[str, float]]
"""Taxonomy name to the arc position of each of its labels, in [0, 1)."""


def ring_of_unbiased6(webemo7: Mapping[str, float]) -> dict[str, float]:
    """Return UnbiasedEmo's ring: it has WebEmo-7's labels without confusion, at the same positions."""
    return {label: position for label, position in webemo7.items() if label != "confusion"}


RING_POSITIONS: Rings = {
    "mikels8": {
        "amusement": 0.0,
        "anger": 0.2371,
        "fear": 0.3522,
        "disgust": 0.3743,
        "sadness": 0.5303,
        "awe": 0.7226,
        "contentment": 0.9192,
        "excitement": 0.9474,
    },
    "webemo7": _WEBEMO7,
    "webemo25": {
        "lust": 0.0,
        "affection": 0.0900,
        "gratitude": 0.1118,
        "relief": 0.1434,
        "optimism": 0.2108,
        "contentment": 0.2246,
        "pride": 0.2487,
        "zest": 0.2832,
        "cheerfulness": 0.3102,
        "enthrallment": 0.3786,
        "surprise": 0.4277,
        "sympathy": 0.4855,
        "disappointment": 0.6006,
        "sadness": 0.6413,
        "neglect": 0.6804,
        "shame": 0.6984,
        "suffering": 0.7136,
        "confusion": 0.7501,
        "envy": 0.7732,
        "exasperation": 0.7945,
        "rage": 0.8282,
        "disgust": 0.8820,
        "irritability": 0.9009,
        "nervousness": 0.9123,
        "horror": 0.9441,
    },
    "unbiased6": ring_of_unbiased6(_WEBEMO7),
    "polarity2": {"positive": 0.0, "negative": 0.5},
}
"""The shipped rings."""


def ring_distance(taxonomy: Taxonomy, a: str, b: str, rings: Rings = RING_POSITIONS) -> float:
    """Return the share of the perimeter between two labels, the shorter way: in [0, 0.5] (paper equation 2's d).

    Raises:
        DataError: the taxonomy has no ring, or a label is outside it.
    """
    positions = rings.get(taxonomy.name)
    if positions is None:
        known = ", ".join(rings)
        raise DataError("taxonomy", taxonomy.name, rule=f"only {known} have a ring", fix="Use one of their label sets.")
    arc = abs(_position(taxonomy, positions, a) - _position(taxonomy, positions, b))
    return min(arc, 1.0 - arc)


def _position(taxonomy: Taxonomy, positions: Mapping[str, float], text: str) -> float:
    label = taxonomy.resolve(text)
    if label is None:
        rule = f"must be a label of {taxonomy.name} ({', '.join(taxonomy.labels)})"
        raise DataError("label", text, rule=rule, fix="Drop the row, or correct the label.")
    return positions[label]
