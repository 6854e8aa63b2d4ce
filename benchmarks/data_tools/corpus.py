"""A made-up corpus of the size and shape of VEC-CoT, to measure the data tools on."""

import io
import random
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from PIL import Image

from emocal_rl.platform.contracts import REASONING_PARTS, DemonstrationSample, Sample
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_task
from emocal_rl.platform.prompts import question_text
from emocal_rl.platform.responses.grammar import render_response

TABLE_1: tuple[Mapping[str, int], ...] = (
    {"EmoSet-8": 30022, "WebEmo-25": 12371, "WebEmo-7": 15552, "FI-8": 3516, "WebEmo-2": 21298, "FI-2": 3308},
    {"EmoSet-8": 14921, "WebEmo-25": 6095, "WebEmo-7": 7896, "FI-8": 1761, "WebEmo-2": 10587, "FI-2": 1773},
    {"EmoSet-8": 4996, "WebEmo-25": 2052, "WebEmo-7": 2707, "FI-8": 544, "WebEmo-2": 3485, "FI-2": 562},
)
"""Task -> rows, of each stage (Table 1 of the paper; its 7,806 for 7,896 does not add up to its own total)."""

NUM_ROWS = sum(count for stage in TABLE_1 for count in stage.values())
"""143,446."""

_PART_WORDS = 30
_WORDS = (
    *("a", "the", "of", "in", "warm", "cold", "face", "crowd", "light", "dark", "sky", "hand", "child"),
    *("street", "old", "calm", "sharp", "soft", "red", "blue", "near", "far"),
)


def demonstrations(stage: int) -> Iterator[DemonstrationSample]:
    """Yield the demonstrations of a stage (1, 2, 3): one image, 150 words of reasoning, an answer.

    Every fiftieth has the image of the one before it.
    """
    number = sum(count for earlier in TABLE_1[: stage - 1] for count in earlier.values())
    for task, count in TABLE_1[stage - 1].items():
        labels = taxonomy_of_task(task).labels
        question = question_text(labels, confidence=False)
        for _ in range(count):
            rng = random.Random(number)
            label = rng.choice(labels)
            parts = {part: " ".join(rng.choices(_WORDS, k=_PART_WORDS)) for part in REASONING_PARTS}
            image = _image_name(number - (number % 50 == 49))
            sample = Sample(f"{task}-{number:06d}", (image,), question, labels, label, task)
            yield DemonstrationSample(sample, render_response(parts, label, None))
            number += 1


def write_images(archive: Path) -> None:
    """Write every image, a PNG of 8 x 8 pixels in a colour of its own, into one zip: there are too many for files."""
    with zipfile.ZipFile(archive, "w") as members:
        for number in range(NUM_ROWS):
            file = io.BytesIO()
            Image.new("RGB", (8, 8), (number >> 16, number >> 8 & 255, number & 255)).save(file, "PNG")
            members.writestr(_image_name(number), file.getvalue())


def _image_name(number: int) -> str:
    return f"{number // 1000:03d}/{number:06d}.png"
