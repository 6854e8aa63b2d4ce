import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

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
