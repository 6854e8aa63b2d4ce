"""What a synthetic image shows, and how probable each label then is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emocal_rl.benchmarks.synthvec.emotion_points import point_matrix
from emocal_rl.benchmarks.synthvec.tasks import SynthTask

FACE_SHARE = 0.65
"""Share of the face in the image's valence; the surroundings have the rest."""
CLARITY_TEMPERATURES = (0.035, 0.13, 0.40)
"""Label temperature of clear, hazy and foggy images."""
NUM_HUES = 4
JITTER_PX = 2

_SHARE_NEAR_A_LABEL = 0.75
_SPREAD = 0.12


@dataclass(frozen=True, slots=True)
class Scene:
    """The latent of one image. Valences, arousal and dominance are in [0, 1]; `clarity` is 0 clear, 1 hazy, 2 foggy.

    `hue`, `bar` (side of the border bar: top, right, bottom, left) and `offset` (px) say nothing about the label.
    """

    face_valence: float
    context_valence: float
    arousal: float
    dominance: float
    clarity: int
    hue: int
    bar: int
    offset: tuple[int, int]

    @property
    def valence(self) -> float:
        """The valence labels depend on."""
        return FACE_SHARE * self.face_valence + (1 - FACE_SHARE) * self.context_valence


def sample_scene(task: SynthTask, rng: np.random.Generator) -> Scene:
    """Draw a scene: three in four near one of the task's labels, the rest anywhere in the cube."""
    points = point_matrix(task.latent_taxonomy)
    if rng.random() < _SHARE_NEAR_A_LABEL:
        latent = points[rng.integers(len(points))] + rng.normal(0, _SPREAD, 3)
    else:
        latent = rng.random(3)
    valence, arousal, dominance = np.clip(latent, 0, 1).tolist()
    face, context = _split_valence(valence, rng.uniform(-task.disagreement, task.disagreement))
    return Scene(
        face_valence=face,
        context_valence=context,
        arousal=arousal,
        dominance=dominance,
        clarity=int(rng.choice(3, p=task.clarity)),
        hue=int(rng.choice(task.hues)),
        bar=int(rng.integers(4)),
        offset=(int(rng.integers(-JITTER_PX, JITTER_PX + 1)), int(rng.integers(-JITTER_PX, JITTER_PX + 1))),
    )


def label_distribution(task: SynthTask, scene: Scene) -> npt.NDArray[np.float64]:
    """Return p(label | scene), (num_labels,): softmax(-|z - point|² / T) with T from the clarity and the task."""
    latent = np.array([scene.valence, scene.arousal, scene.dominance])
    temperature = CLARITY_TEMPERATURES[scene.clarity] * task.temperature
    logits = -((point_matrix(task.taxonomy) - latent) ** 2).sum(axis=1) / temperature
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum())


def _split_valence(valence: float, gap: float) -> tuple[float, float]:
    """Part a valence into the face's and the surroundings', `gap` apart where the unit interval allows it."""
    context_share = 1 - FACE_SHARE
    low = max(-valence / context_share, -(1 - valence) / FACE_SHARE)
    high = min((1 - valence) / context_share, valence / FACE_SHARE)
    gap = min(max(gap, low), high)
    return valence + context_share * gap, valence - FACE_SHARE * gap
