from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import ray

from emocal_rl.actors.rollout.pool import Batch, Refused
from emocal_rl.actors.rollout.sampling_seed import response_seed
from emocal_rl.actors.rollout.scripted import ScriptedEngine
from emocal_rl.actors.rollout.worker import RolloutWorker
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.config.model import ModelConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import REASONING_PARTS, RolloutRequest, Sample
from emocal_rl.platform.data.vecbench import write_vecbench
from emocal_rl.platform.errors import DataError
from emocal_rl.stages.inference import answering

MIKELS8 = ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")
THOUGHT = "".join(f"<{part}>é</{part}>" for part in REASONING_PARTS)


def drawn_answer(request: RolloutRequest, _: int) -> str:
    """What depends on seed and sample id alone, as a sampled response does."""
    number = response_seed(request.sampling.seed, request.sample.id)
    answer, confidence = MIKELS8[number % len(MIKELS8)], number % 101 / 100
    return f"<think>{THOUGHT}</think><answer>{answer}</answer><confidence>{confidence:.2f}</confidence>"


class LocalPool:
    """Rollout workers in this process, taking turns; the process dies after so many groups.

    It refuses the samples whose ids are in `too_long`.
    """

    def __init__(self, num_workers: int = 1, dies_after: int | None = None) -> None:
        self.too_long: set[str] = set()
        self.workers = [RolloutWorker("unused", Config(), ScriptedEngine(drawn_answer)) for _ in range(num_workers)]
        self.asked: list[tuple[str, int]] = []
        self.requests: list[RolloutRequest] = []
        self._dies_after = dies_after

    def stream_batches(
        self, batches: Sequence[Iterator[Batch]], refused: Refused | None = None
    ) -> Iterator[tuple[int, Any]]:
        streams = [self._answers(worker, own, refused) for worker, own in zip(self.workers, batches, strict=True)]
        while streams:
            stream = streams.pop(0)
            if (answered := next(stream, None)) is not None:
                yield answered
                streams.append(stream)

    def _answers(
        self, worker: RolloutWorker, batches: Iterator[Batch], refused: Refused | None
    ) -> Iterator[tuple[int, Any]]:
        for batch in batches:
            self.requests += batch.values()
            asked = []
            for index, request in batch.items():
                if request.sample.id in self.too_long:
                    assert refused is not None
                    refused(index, DataError(request.sample.id, rule="is too long"))
                else:
                    asked.append((index, request))
            stream = worker.stream(asked, 0)
            for index in stream:
                if isinstance(index, int):
                    if len(self.asked) == self._dies_after:
                        raise KeyboardInterrupt
                    self.asked.append((batch[index].sample.id, batch[index].sampling.seed))
                    yield index, next(stream)


@pytest.fixture
def use_pool(monkeypatch: pytest.MonkeyPatch) -> Callable[..., LocalPool]:
    """Let a pool of this process stand for the engines on a cluster."""
    monkeypatch.setattr(ray, "put", lambda value: value)
    monkeypatch.setattr(ray, "get", lambda ref: ref)

    def use(num_workers: int = 1, dies_after: int | None = None) -> LocalPool:
        pool = LocalPool(num_workers, dies_after)
        monkeypatch.setattr(answering, "sampling_engines", lambda *_: nullcontext(pool))
        return pool

    return use


@pytest.fixture
def data(tmp_path: Path, face_image: bytes) -> str:
    """Eight rows of one task, s0 to s7."""
    images = tmp_path / "images"
    images.mkdir()
    samples = []
    for number, label in enumerate(MIKELS8):
        (images / f"{number}.png").write_bytes(face_image)
        reference = str(images / f"{number}.png")
        samples.append(Sample(f"s{number}", (reference,), f"[s{number}] {label} or not?", MIKELS8, label, "FI-8"))
    write_vecbench(str(tmp_path / "rows.jsonl"), samples)
    return str(tmp_path / "rows.jsonl")


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., Config]:
    """A config with a local model that nobody loads, and settings of `evaluation`."""
    model = tmp_path / "model"
    model.mkdir()
    for name in ("model.safetensors", "tokenizer.json", "preprocessor_config.json"):
        (model / name).touch()
    (model / "config.json").write_text('{"model_type": "qwen2_5_vl"}')

    def make(seed: int = 0, **evaluation: Any) -> Config:
        overrides = {f"evaluation.{name.replace('__', '.')}": value for name, value in evaluation.items()}
        config = resolve_config(overrides={"run.seed": seed, **overrides})
        return config.model_copy(update={"model": ModelConfig(path=str(model))})

    return make
