from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emocal_rl.actors.learner.examples import SFTItem
from emocal_rl.actors.learner.learner import Learner
from emocal_rl.actors.policy_model import load_policy
from emocal_rl.actors.reference.worker import ReferenceWorker
from emocal_rl.platform.config.learner import OptimizerConfig
from emocal_rl.platform.config.model import ModelConfig
from emocal_rl.platform.contracts import DemonstrationSample, LossDenominators, Sample
from emocal_rl.platform.errors import ConfigError

pytestmark = pytest.mark.skipif(find_spec("peft") is None, reason="needs the extra lora")

Factory = Callable[..., Any]
OPTIMIZER = OptimizerConfig(learning_rate=1e-2)
LORA = {"rank": 4, "alpha": 8.0, "target_modules": ["q_proj", "v_proj", "down_proj"]}


def items(image: bytes) -> list[SFTItem]:
    sample = Sample("a", ("face.png",), "Which emotion?", ("awe", "fear"), "awe", "FI-8")
    return [SFTItem(DemonstrationSample(sample, "<answer>awe</answer>"), (image,))]


def weights_of(learner: Learner) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in learner.named_weights()}


@pytest.mark.parametrize("zero_stage", [0, 3])
def test_adapters_start_as_nothing_and_are_merged_wherever_weights_leave(
    tiny_policy: Path, face_image: bytes, make_group: Factory, make_config: Factory, tmp_path: Path, zero_stage: int
) -> None:
    config = make_config(zero_stage=zero_stage, lora=LORA)
    learner = Learner(tiny_policy, config, OPTIMIZER, total_steps=2)
    original = dict(load_policy(tiny_policy, ModelConfig(), device=torch.device("cpu")).hf.named_parameters())
    before = weights_of(learner)
    assert before.keys() == original.keys()
    assert all(torch.equal(before[name], weight) for name, weight in original.items())
    assert learner.describe_weights() == [(name, weight.dtype, tuple(weight.shape)) for name, weight in before.items()]

    learner.sft_step(items(face_image), max_length=2048)
    item = make_group(1)
    lengths = item.scored.num_tokens
    learner.update([item], LossDenominators(len(lengths), sum(lengths)))
    after = weights_of(learner)
    moved = {name for name in after if not torch.equal(after[name], before[name])}
    assert {name.rsplit(".", 2)[1] for name in moved} == {"q_proj", "v_proj", "down_proj"}
    assert all("language_model" in name for name in moved)
    for name in moved:
        change = after[name] - before[name]
        assert torch.linalg.matrix_rank(change, rtol=1e-3) <= 4

    learner.export_hf(tmp_path / "export")
    exported = load_policy(tmp_path / "export", ModelConfig(), device=torch.device("cpu")).hf
    assert all(torch.equal(after[name], weight) for name, weight in exported.named_parameters())
    expected = ReferenceWorker(tmp_path / "export", config).logprobs(item.group)
    for ours, theirs in zip(learner.logprobs([item.group])[0], expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_resume_is_exact_with_dropout(
    tiny_policy: Path, face_image: bytes, make_config: Factory, tmp_path: Path
) -> None:
    config = make_config(zero_stage=2, lora={**LORA, "dropout": 0.5})
    learner, resumed = (Learner(tiny_policy, config, OPTIMIZER, total_steps=3) for _ in range(2))
    losses = [learner.sft_step(items(face_image), 2048).loss for _ in range(2)]
    learner.save_checkpoint(tmp_path / "checkpoint", weight_version=0)
    resumed.load_checkpoint(tmp_path / "checkpoint")
    torch.manual_seed(7)
    assert learner.sft_step(items(face_image), 2048) == resumed.sft_step(items(face_image), 2048)
    one, other = weights_of(learner), weights_of(resumed)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert losses[0] > losses[1]
    # Dropout is for the supervised steps alone: log-probs elsewhere are a function of the weights.
    assert learner.sft_loss(items(face_image), 2048) == learner.sft_loss(items(face_image), 2048)


def test_unknown_layers_are_the_users_to_correct(tiny_policy: Path, make_config: Factory) -> None:
    config = make_config(lora={"rank": 4, "target_modules": ["query"]})
    with pytest.raises(ConfigError, match=r"learner\.lora\.target_modules.*no linear layer"):
        Learner(tiny_policy, config, OPTIMIZER, total_steps=1)
