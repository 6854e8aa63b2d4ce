"""The nine synthetic tasks. Each mirrors one VECBench task: its taxonomy, its group, in or out of domain."""

from dataclasses import dataclass
from typing import Literal

from emocal_rl.platform.emotions.taxonomy import TAXONOMIES

Style = Literal["portrait", "texture", "sketch"]


@dataclass(frozen=True, slots=True)
class SynthTask:
    """One task of the world.

    `taxonomy` holds the candidates, `latent_taxonomy` the points images are drawn around (polarity asks about images of
    the eight or the seven). `clarity` weighs clear, hazy and foggy images. `disagreement` bounds how far the face's and
    the surroundings' valence drift apart. `temperature` scales label ambiguity. `train_share` is 0 out of domain.
    """

    name: str
    taxonomy: str
    latent_taxonomy: str
    style: Style = "portrait"
    clarity: tuple[float, float, float] = (0.25, 0.4, 0.35)
    disagreement: float = 0.3
    temperature: float = 1.0
    hues: tuple[int, ...] = (0, 1, 2)
    train_share: float = 0.0

    @property
    def labels(self) -> tuple[str, ...]:
        """The candidates, in the order they are asked and in which distributions are stored."""
        return TAXONOMIES[self.taxonomy].labels

    @property
    def in_domain(self) -> bool:
        """Whether the training splits hold this task."""
        return self.train_share > 0


TASKS: dict[str, SynthTask] = {
    task.name: task
    for task in (
        SynthTask("SynthFI-2", "polarity2", "mikels8", temperature=1.5, train_share=0.11),
        SynthTask("SynthWebEmo-2", "polarity2", "webemo7", clarity=(0.2, 0.4, 0.4), temperature=1.5, train_share=0.11),
        SynthTask("SynthFI-8", "mikels8", "mikels8", train_share=0.2),
        SynthTask("SynthEmoSet-8", "mikels8", "mikels8", clarity=(0.35, 0.4, 0.25), train_share=0.2),
        SynthTask("SynthWebEmo-7", "webemo7", "webemo7", train_share=0.26),
        SynthTask("SynthWebEmo-25", "webemo25", "webemo25", temperature=0.5, train_share=0.12),
        SynthTask("SynthAbstract-8", "mikels8", "mikels8", style="texture"),
        SynthTask("SynthArtphoto-8", "mikels8", "mikels8", style="sketch"),
        SynthTask("SynthUnbiasedEmo-6", "unbiased6", "unbiased6", disagreement=1.0, hues=(3,)),
    )
}
"""The tasks by name: `Synth` and the VECBench task that each mirrors."""

IN_DOMAIN_TASKS = tuple(task for task in TASKS.values() if task.in_domain)
OUT_OF_DOMAIN_TASKS = tuple(task for task in TASKS.values() if not task.in_domain)
