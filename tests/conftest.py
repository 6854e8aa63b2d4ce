import io
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import settings
from PIL import Image, ImageDraw

from emocal_rl.platform.contracts import Sample

# The same examples at every run; `HYPOTHESIS_PROFILE=default` draws new ones.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

TEXTS = [
    "Which emotion may this image evoke in a viewer? Choose one of ['amusement', 'anger', 'awe', 'fear', 'sadness'].",
    "<think><element>a face</element><human>smiling</human><context>bright blue</context><interaction>at ease"
    "</interaction><analysis>pleasant and calm</analysis></think><answer>awe</answer><confidence>0.75</confidence>",
]


@pytest.fixture(scope="session")
def tiny_policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of an untrained tiny Qwen2.5-VL with tied embeddings."""
    return _create(tmp_path_factory.mktemp("policy") / "tied", tie_word_embeddings=True)


@pytest.fixture(scope="session")
def tiny_policy_untied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with an output layer of its own."""
    return _create(tmp_path_factory.mktemp("policy") / "untied", tie_word_embeddings=False)


@pytest.fixture(scope="session")
def released_hits() -> dict[str, tuple[int, int]]:
    """Right answers and samples by task, of the run that the released evaluator's README shows."""
    return {
        "Abstract-8": (67, 229),
        "Artphoto-8": (338, 806),
        "EmoSet-8": (681, 1000),
        "FI-2": (881, 1000),
        "FI-8": (697, 1000),
        "UnbiasedEmo-6": (799, 1000),
        "WebEmo-2": (758, 1000),
        "WebEmo-7": (540, 1000),
        "WebEmo-25": (282, 997),
    }


@pytest.fixture(scope="session")
def face_image() -> bytes:
    """A PNG of 84 x 84 pixels."""
    image = Image.new("RGB", (84, 84), (90, 120, 200))
    draw = ImageDraw.Draw(image)
    draw.ellipse((17, 17, 67, 67), fill=(240, 200, 120))
    draw.arc((30, 40, 54, 58), 20, 160, fill=(60, 20, 20), width=2)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _create(directory: Path, *, tie_word_embeddings: bool) -> Path:
    from emocal_rl.benchmarks.synthvec.policy import create_tiny_policy

    create_tiny_policy(directory, TEXTS, seed=0, tie_word_embeddings=tie_word_embeddings)
    return directory


class WritePredictions(Protocol):
    def __call__(self, path: Path, *, seed: int = 0, accuracy: float = 0.6, count: int = 20, prefix: str = "") -> Path:
        """Write `count` predictions of every VECBench task (named with `prefix`); return the path."""


@pytest.fixture(scope="session")
def write_example_predictions() -> WritePredictions:
    """Predictions made up from a seed: overconfident, a few unreadable or failed; the samples are always the same."""
    return _write_example_predictions


def _write_example_predictions(
    path: Path, *, seed: int = 0, accuracy: float = 0.6, count: int = 20, prefix: str = ""
) -> Path:
    from emocal_rl.benchmarks.vecbench.tasks import TASK_GROUPS
    from emocal_rl.platform.data.vecbench import write_predictions

    (path.parent / "images").mkdir(parents=True, exist_ok=True)
    images = [path.parent / f"images/{number}.png" for number in range(4)]
    for number, image in enumerate(images):
        color = (60 + 45 * number, 120, 200 - 40 * number)
        Image.new("RGB", (96, 72), color).save(image)
    rng = random.Random(seed)
    rows = [
        _example_prediction(task, prefix, number, str(images[number % len(images)]), accuracy, rng)
        for task in TASK_GROUPS
        for number in range(count)
    ]
    write_predictions(str(path), rows)
    return path


def _example_prediction(task: str, prefix: str, number: int, image: str, accuracy: float, rng: random.Random) -> Any:
    from emocal_rl.platform.contracts import REASONING_PARTS, Sample
    from emocal_rl.platform.data.vecbench import Prediction
    from emocal_rl.platform.emotions.taxonomy import taxonomy_of_task
    from emocal_rl.platform.responses.grammar import render_response

    labels = taxonomy_of_task(task).labels
    label = labels[number * 11 % len(labels)]
    question = f"Which emotion may image {number} evoke? Choose one of {list(labels)}."
    sample = Sample(f"{task}-{number}", (image,), question, labels, label, prefix + task)
    hardness = accuracy * (0.7 + 0.6 * rng.random())
    answer = label if rng.random() < hardness else rng.choice(labels)
    stated = min(0.99, max(0.01, hardness + 0.15 + rng.gauss(0, 0.12)))
    confidence = {0: "85%", 1: None}.get(rng.randrange(40), f"{stated:.2f}")
    if rng.randrange(60) == 0:
        return Prediction.of(sample, error="timeout after 60 s")
    parts = {part: f"The {part} of image {number}: a scene that suggests {answer}." for part in REASONING_PARTS}
    return Prediction.of(sample, response=render_response(parts, answer, confidence))


@pytest.fixture(scope="session")
def plain_transformers() -> Callable[[Path], Callable[[Sample, bytes, int], tuple[str, float]]]:
    """Give a checkpoint, get what answers a sample greedily: nothing of ours but the prompt and the suppressed tokens.

    The answer comes with the least difference between the two best logits on the way: how near it was to another one.
    """
    from emocal_rl.actors.rollout.torchvision_shim import prepare_imports

    prepare_imports()
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from emocal_rl.actors.prompt_rendering import render_prompt
    from emocal_rl.actors.suppression import suppressed_token_ids

    def load(model_dir: Path) -> Callable[[Sample, bytes, int], tuple[str, float]]:
        model = AutoModelForImageTextToText.from_pretrained(model_dir, dtype="float32").eval()
        processor = AutoProcessor.from_pretrained(model_dir)
        ends = {processor.tokenizer.eos_token_id, processor.tokenizer.pad_token_id}

        def answer(sample: Sample, image: bytes, max_new_tokens: int) -> tuple[str, float]:
            inputs = processor(
                text=[render_prompt(processor, sample)],
                images=[Image.open(io.BytesIO(image))],
                return_tensors="pt",
                return_mm_token_type_ids=True,
            )
            generated = model.generate(
                **inputs,
                do_sample=False,
                max_new_tokens=max_new_tokens,
                suppress_tokens=list(suppressed_token_ids(processor)),
                return_dict_in_generate=True,
                output_scores=True,
            )
            said = generated.sequences[0, inputs["input_ids"].shape[1] :].tolist()
            spoken = said[:-1] if said[-1] in ends else said
            best = [scores[0].topk(2).values.tolist() for scores in generated.scores]
            return processor.tokenizer.decode(spoken), min(first - second for first, second in best)

        return answer

    return load
