import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from emocal_rl.actors.learner.examples import TrainingGroup
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Response, RewardedResponse, RolloutGroup, Sample, ScoredGroup

GroupFactory = Callable[..., TrainingGroup]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def make_group(tiny_policy: Path, face_image: bytes) -> GroupFactory:
    """Builds a group of random responses, log-probs and advantages, reproducible by seed."""
    tokenizer = json.loads((tiny_policy / "tokenizer.json").read_text())
    special = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    start, pad, end = (special[f"<|{name}|>"] for name in ("vision_start", "image_pad", "vision_end"))
    text_ids = sorted(set(tokenizer["model"]["vocab"].values()) - set(special.values()))

    def build(seed: int, lengths: tuple[int, ...] = (5, 9, 3), *, masked: tuple[int, ...] = ()) -> TrainingGroup:
        rng = np.random.default_rng(seed)
        text = rng.choice(text_ids, 12 + seed % 5)
        prompt = np.array([*text[:4], start, *[pad] * 9, end, *text[4:]], dtype=np.int32)
        responses = tuple(
            Response(
                text="",
                token_ids=rng.choice(text_ids, length).astype(np.int32),
                logprobs=rng.normal(-6.0, 0.3, length).astype(np.float32),
                finish_reason="stop",
                weight_version=0,
            )
            for length in lengths
        )
        reasons = ["reward error" if index in masked else None for index in range(len(lengths))]
        rewarded = tuple(RewardedResponse({}, 0.0, True, 0.5, True, "awe", reason) for reason in reasons)
        advantages = tuple(0.0 if reason else float(rng.normal()) for reason in reasons)
        sample = Sample(f"sample-{seed}", ("face.png",), "Which emotion?", ("awe", "fear"), "awe", "FI-8")
        return TrainingGroup(
            RolloutGroup(sample, (face_image,), prompt, responses),
            ScoredGroup(sample.id, sample.task, rewarded, advantages, lengths, len(prompt)),
            reference_logprobs=[rng.normal(-6.0, 0.3, length).astype(np.float32) for length in lengths],
        )

    return build


@pytest.fixture(scope="session")
def make_config() -> Callable[..., Config]:
    """Builds a configuration with the given learner and loss settings."""

    def build(loss: dict[str, object] | None = None, dtype: str = "auto", **learner: object) -> Config:
        return Config.model_validate({"learner": learner, "loss": loss or {}, "model": {"dtype": dtype}})

    return build
