from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import DataError, UserError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages.inference.predict import ImagePrediction, predict

LABELS = ("positive", "negative")
PARTS = {part: part[:3] for part in ("element", "human", "context", "interaction", "analysis")}
THOUGHT = "".join(f"<{part}>{text}</{part}>" for part, text in PARTS.items())


def response(answer: str, confidence: str) -> str:
    return f"<think>{THOUGHT}</think><answer>{answer}</answer><confidence>{confidence}</confidence>"


@pytest.fixture
def images(tmp_path: Path, face_image: bytes) -> list[str]:
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes(face_image)
    return [str(tmp_path / name) for name in ("a.png", "b.png", "c.png")]


@pytest.fixture
def say(images: list[str], configure: Callable[..., Config], use_pool: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have a model say one text about each image."""

    def run(*texts: str, **options: Any) -> list[ImagePrediction]:
        pool = use_pool()
        said = dict(zip(images, texts, strict=False))
        monkeypatch.setattr(pool.workers[0]._engine, "_script", lambda request, _: said[request.sample.id])
        config = configure(sampling__temperature=0.0)
        return predict(images[: len(texts)], LABELS, config, SilentProgress(), **options)

    return run


def test_answer_confidence_and_parts(say: Any, images: list[str]) -> None:
    first, second = say(response("Positive", "0.85"), response("negative", "0.4"))
    assert (first.label, first.abstains, first.parsed.confidence) == ("positive", False, 0.85)
    assert first.parsed.parts == PARTS
    assert first.to_dict()["image"] == images[0]
    assert first.to_dict()["confidence_avg"] == 1.0
    assert (second.label, second.abstains) == ("negative", False)


def test_it_abstains_below_the_confidence_asked_for_and_without_a_label(say: Any) -> None:
    texts = response("positive", "0.7"), response("positive", "0.69"), response("bliss", "0.99")
    assert [one.abstains for one in say(*texts, min_confidence=0.7)] == [False, True, True]
    assert [one.abstains for one in say(*texts)] == [False, False, True]
    unsure = response("positive", "high")
    assert [one.abstains for one in say(unsure, min_confidence=0.1)] == [True]
    assert [one.abstains for one in say(unsure)] == [False]
    assert say(unsure)[0].to_dict()["confidence_problem"] == "not_a_number"


def test_the_question_is_the_trained_one_unless_another_is_given(
    say: Any, images: list[str], use_pool: Any, configure: Callable[..., Config]
) -> None:
    for options, expected in (({}, "<confidence></confidence>"), ({"question": "How does it feel?"}, "How does it")):
        pool = use_pool()
        predict(images[:1], LABELS, configure(), SilentProgress(), **options)
        assert expected in pool.requests[0].sample.question
        assert pool.requests[0].sample.candidates == LABELS


def test_damaged_images_have_no_answer_and_missing_ones_end_it(say: Any, images: list[str]) -> None:
    Path(images[0]).write_bytes(Path(images[1]).read_bytes()[:120])
    damaged, whole = say("never said", response("positive", "0.5"))
    assert (damaged.label, damaged.abstains, whole.label) == (None, True, "positive")
    assert "is truncated or corrupt" in damaged.to_dict()["error"]
    Path(images[1]).unlink()
    with pytest.raises(DataError, match=r"b\.png"):
        say("x", "y")


def test_a_model_must_be_named(images: list[str]) -> None:
    with pytest.raises(UserError, match="--model: must be given"):
        predict(images, LABELS, Config(), SilentProgress())
