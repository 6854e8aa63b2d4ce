"""One image of the world with everything that is known about it, made from a seed of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emocal_rl.benchmarks.synthvec.drawing import draw_scene, encode_png
from emocal_rl.benchmarks.synthvec.question import synthvec_question
from emocal_rl.benchmarks.synthvec.reasoning_text import describe_scene
from emocal_rl.benchmarks.synthvec.scene import Scene, label_distribution, sample_scene
from emocal_rl.benchmarks.synthvec.tasks import SynthTask
from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.responses.grammar import render_response


@dataclass(frozen=True, slots=True)
class Example:
    """A drawn scene. `distribution` is (num_labels,) over `task.labels`; `label` was drawn from it.

    `reasoning` describes the scene; `unrelated` describes another one and answers at random (pre-training only).
    """

    id: str
    task: SynthTask
    scene: Scene
    distribution: npt.NDArray[np.float64]
    label: str
    png: bytes
    reasoning: dict[str, str]
    unrelated: str


def allot_tasks(shares: Sequence[tuple[SynthTask, float]], count: int, rng: np.random.Generator) -> list[SynthTask]:
    """Return `count` tasks in random order, as many of each as its share says (largest remainders filled up)."""
    quotas = np.array([share for _, share in shares]) / sum(share for _, share in shares) * count
    numbers = np.floor(quotas).astype(int)
    numbers[np.argsort(numbers - quotas, kind="stable")[: count - numbers.sum()]] += 1
    tasks = [task for (task, _), number in zip(shares, numbers, strict=True) for _ in range(number)]
    return [tasks[index] for index in rng.permutation(count)]


def make_example(example_id: str, task: SynthTask, rng: np.random.Generator) -> Example:
    """Draw scene, image, label and texts, in this order, from the example's own `rng`."""
    scene = sample_scene(task, rng)
    distribution = label_distribution(task, scene)
    return Example(
        id=example_id,
        task=task,
        scene=scene,
        distribution=distribution,
        png=encode_png(draw_scene(scene, task.style, rng)),
        label=task.labels[int(rng.choice(len(distribution), p=distribution))],
        reasoning=describe_scene(scene, rng),
        unrelated=unrelated_response(task, rng),
    )


def sample_of(example: Example, image: str) -> Sample:
    """Return the example as a question about the image at `image`."""
    labels = example.task.labels
    return Sample(example.id, (image,), synthvec_question(labels), labels, example.label, example.task.name)


def reasoning_demonstration(example: Example, image: str) -> DemonstrationSample:
    """Stage 1: a description of the image and the label that was drawn for it."""
    response = render_response(example.reasoning, example.label, None)
    return DemonstrationSample(sample_of(example, image), response)


def pretraining_demonstration(example: Example, image: str) -> DemonstrationSample:
    """Language pre-training: the format, with nothing in it that the image could tell."""
    return DemonstrationSample(sample_of(example, image), example.unrelated)


def unrelated_response(task: SynthTask, rng: np.random.Generator) -> str:
    """A response to nothing: the reasoning for a fresh scene, a random answer, a random confidence."""
    parts = describe_scene(sample_scene(task, rng), rng)
    return render_response(parts, str(rng.choice(task.labels)), f"{rng.integers(101) / 100:.2f}")
