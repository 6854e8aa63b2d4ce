"""Where each label sits in the synthetic world's (valence, arousal, dominance) cube, every coordinate in [0, 1].

The points are invented and spread by hand: real lexicon values put amusement, contentment and excitement within 0.09 of
each other, which would make the task ill-posed. They carry no value of any lexicon.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

from emocal_rl.platform.emotions.taxonomy import TAXONOMIES

Point = tuple[float, float, float]

_MIKELS8: dict[str, Point] = {
    "amusement": (0.85, 0.62, 0.75),
    "awe": (0.62, 0.72, 0.12),
    "contentment": (0.88, 0.22, 0.62),
    "excitement": (0.85, 0.97, 0.50),
    "anger": (0.12, 0.88, 0.78),
    "disgust": (0.18, 0.55, 0.55),
    "fear": (0.12, 0.82, 0.15),
    "sadness": (0.10, 0.15, 0.18),
}
_WEBEMO7: dict[str, Point] = {
    "love": (0.90, 0.35, 0.30),
    "joy": (0.88, 0.65, 0.75),
    "surprise": (0.65, 0.92, 0.22),
    "confusion": (0.42, 0.45, 0.10),
    "sadness": (0.10, 0.12, 0.25),
    "anger": (0.12, 0.80, 0.80),
    "fear": (0.12, 0.85, 0.20),
}
_WEBEMO25: dict[str, Point] = {
    "affection": (0.95, 0.35, 0.42),
    "gratitude": (0.85, 0.22, 0.20),
    "lust": (0.78, 0.55, 0.38),
    "cheerfulness": (0.95, 0.68, 0.62),
    "contentment": (0.85, 0.15, 0.62),
    "enthrallment": (0.75, 0.80, 0.58),
    "optimism": (0.75, 0.45, 0.65),
    "pride": (0.85, 0.60, 0.95),
    "relief": (0.68, 0.12, 0.42),
    "zest": (0.95, 0.95, 0.80),
    "surprise": (0.65, 0.92, 0.22),
    "confusion": (0.42, 0.45, 0.10),
    "disappointment": (0.30, 0.25, 0.35),
    "neglect": (0.20, 0.25, 0.05),
    "sadness": (0.05, 0.10, 0.20),
    "shame": (0.12, 0.45, 0.12),
    "suffering": (0.05, 0.48, 0.30),
    "sympathy": (0.45, 0.20, 0.22),
    "disgust": (0.20, 0.50, 0.60),
    "envy": (0.28, 0.58, 0.42),
    "exasperation": (0.30, 0.75, 0.65),
    "irritability": (0.30, 0.60, 0.85),
    "rage": (0.05, 0.95, 0.92),
    "horror": (0.05, 0.95, 0.15),
    "nervousness": (0.30, 0.78, 0.22),
}
_UNBIASED6: dict[str, Point] = {label: point for label, point in _WEBEMO7.items() if label != "confusion"}
_POLARITY2: dict[str, Point] = {"positive": (0.80, 0.50, 0.50), "negative": (0.20, 0.50, 0.50)}

EMOTION_POINTS: Mapping[str, dict[str, Point]] = {
    "mikels8": _MIKELS8,
    "webemo7": _WEBEMO7,
    "webemo25": _WEBEMO25,
    "unbiased6": _UNBIASED6,
    "polarity2": _POLARITY2,
}
"""Points by taxonomy name and label."""


@cache
def point_matrix(taxonomy: str) -> npt.NDArray[np.float64]:
    """Return the (num_labels, 3) points of a taxonomy, rows in the order of its labels."""
    points = EMOTION_POINTS[taxonomy]
    return np.array([points[label] for label in TAXONOMIES[taxonomy].labels])
