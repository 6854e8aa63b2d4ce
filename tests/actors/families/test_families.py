import io
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from emocal_rl.actors.learner.examples import SFTItem, encode_demonstration
from emocal_rl.actors.learner.learner import Learner
from emocal_rl.actors.policy_model import load_policy, load_processor
from emocal_rl.actors.prompt_rendering import render_prompt
from emocal_rl.actors.sequence_encoding import SequenceEncoder
from emocal_rl.platform.config.learner import OptimizerConfig
from emocal_rl.platform.config.model import ModelConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.images import ImageLimits

RESPONSES = ("<answer>awe</answer>", "awe", "<answer>awe</answer><confidence>0.75</confidence>")


@pytest.fixture(scope="module")
def items() -> list[SFTItem]:
    """Demonstrations with one wide, one tall and two images."""
    pictures = []
    for number, size in enumerate(((96, 64), (60, 130))):
        file = io.BytesIO()
        gradient = Image.linear_gradient("L").rotate(90 * number).resize(size)
        Image.merge("RGB", [gradient] * 3).save(file, "PNG")
        pictures.append(file.getvalue())
    images = ((pictures[0],), (pictures[1],), tuple(pictures))
    return [
        SFTItem(
            DemonstrationSample(Sample(str(n), ("x.png",) * len(shown), "Which emotion?", (), "awe", "FI-8"), response),
            shown,
        )
        for n, (shown, response) in enumerate(zip(images, RESPONSES, strict=True))
    ]


@torch.no_grad()
def plain_loss(model: Any, processor: Any, items: list[SFTItem]) -> float:
    """Mean cross-entropy by plain transformers: one sequence at a time, prepared by the processor's own call."""
    losses = []
    for item in items:
        prompt = render_prompt(processor, item.demonstration.sample)
        pictures = [Image.open(io.BytesIO(image)).convert("RGB") for image in item.images]
        inputs = processor(
            text=[prompt + item.demonstration.response + "<|im_end|>"], images=pictures, return_tensors="pt"
        )
        num_response = len(processor.tokenizer(item.demonstration.response)["input_ids"]) + 1
        logprobs = model(**inputs).logits[0].log_softmax(-1)
        token_ids = inputs["input_ids"][0]
        losses.append(-logprobs[:-1].gather(-1, token_ids[1:, None])[-num_response:, 0])
    return float(torch.cat(losses).mean())


@pytest.fixture
def learner(family_policy: Path) -> Learner:
    torch.set_num_threads(1)
    optimizer = OptimizerConfig(learning_rate=1e-3)
    return Learner(family_policy, Config(), optimizer, total_steps=1, freeze_vision=True)


def test_a_step_is_plain_transformers_and_its_export_loads_there(
    family_policy: Path, learner: Learner, items: list[SFTItem], tmp_path: Path
) -> None:
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(family_policy)
    before = plain_loss(AutoModelForImageTextToText.from_pretrained(family_policy), processor, items)
    assert learner.sft_step(items, max_length=2048).loss == pytest.approx(before, abs=1e-5)
    learner.export_hf(tmp_path / "export")
    exported = AutoModelForImageTextToText.from_pretrained(tmp_path / "export")
    after = plain_loss(exported, AutoProcessor.from_pretrained(tmp_path / "export"), items)
    sums = learner.sft_loss(items, max_length=2048)
    assert sums.total / sums.num_tokens == pytest.approx(after, abs=1e-5)
    assert after < before - 0.01
    trained = dict(learner.named_weights())
    original = load_policy(family_policy, ModelConfig(), device=torch.device("cpu")).hf.state_dict()
    assert all(torch.equal(weight, trained[name]) for name, weight in exported.named_parameters())
    moved = {name for name, weight in trained.items() if not torch.equal(weight, original[name])}
    parts = ("merger", "multi_modal_projector", "visual", "vision_tower", "language_model", "lm_head")
    touched = {next(part for part in parts if part in name) for name in moved}
    assert touched - {"merger", "multi_modal_projector", "lm_head"} == {"language_model"}
    assert touched & {"merger", "multi_modal_projector"}


def test_pixel_limits_apply(family_policy: Path, items: list[SFTItem]) -> None:
    areas, num_tokens = [], []
    for limit in (56 * 56, 128 * 128):
        encoder = SequenceEncoder(load_processor(family_policy, ModelConfig(max_pixels=limit)), ImageLimits())
        given = encode_demonstration(items[0], encoder).describe(max_length=2048)
        ((height, width),) = given.image_sizes
        areas.append(height * width)
        num_tokens.append(given.image_tokens)
    assert areas[0] <= 56 * 56 < areas[1]
    assert num_tokens[0] < num_tokens[1]
