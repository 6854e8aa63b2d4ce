from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.platform.config.synthesis import ChatModelConfig, JudgeConfig, SynthesisConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import write_vecbench

LABELS = ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")


@pytest.fixture
def pairs(tmp_path: Path, face_image: bytes) -> Callable[[int], str]:
    """Write that many pairs and return the file: s0, s1, ... with the labels in turn."""

    def write(count: int) -> str:
        (tmp_path / "face.png").write_bytes(face_image)
        image, path = str(tmp_path / "face.png"), str(tmp_path / "pairs.jsonl")
        samples = [Sample(f"s{i}", (image,), f"[s{i}]", LABELS, LABELS[i % len(LABELS)], "FI-8") for i in range(count)]
        write_vecbench(path, samples)
        return path

    return write


@pytest.fixture
def configure(endpoint: Any, tmp_path: Path) -> Callable[..., Config]:
    """A config of both roles at the endpoint; their prompts say `[sample] label` so that it knows what to answer."""
    for role in ("teacher", "judge"):
        (tmp_path / f"{role}.jinja").write_text(
            "{{ question }} {{ label }}" + "{{ reasoning.analysis }}" * (role == "judge")
        )

    def make(
        data: str, teacher: dict[str, Any] | None = None, judge: dict[str, Any] | None = None, **rest: Any
    ) -> Config:
        shared = {"base_url": endpoint.url, "api_key_env": "EMOCAL_TEST_KEY", "concurrency": 4, "timeout_s": 20.0}
        models = {
            role: {"model": role, "template": str(tmp_path / f"{role}.jinja"), **shared, **(own or {})}
            for role, own in (("teacher", teacher), ("judge", judge))
        }
        synthesis = SynthesisConfig(
            data=data, teacher=ChatModelConfig(**models["teacher"]), judge=JudgeConfig(**models["judge"]), **rest
        )
        return Config(synthesis=synthesis)

    return make
