from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emocal_rl.actors.learner.checkpoint import verify_checkpoint
from emocal_rl.actors.learner.examples import SFTItem, TrainingGroup
from emocal_rl.actors.learner.learner import Learner
from emocal_rl.actors.policy_model import load_policy, load_processor
from emocal_rl.actors.prompt_rendering import render_prompt
from emocal_rl.actors.reference.worker import ReferenceWorker
from emocal_rl.actors.suppression import suppressed_token_ids
from emocal_rl.platform.config.learner import OptimizerConfig
from emocal_rl.platform.config.model import ModelConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import DemonstrationSample, LossDenominators, LossSum, Sample, UpdateStatistics
from emocal_rl.platform.data.images import ImageLimits, decode_image
from emocal_rl.platform.errors import RunError

OPTIMIZER = OptimizerConfig(learning_rate=1e-3, weight_decay=0.01, max_grad_norm=0.5)
CPU = torch.device("cpu")
Factory = Callable[..., Any]
Weights = dict[str, torch.Tensor]


def weights_of(learner: Learner) -> Weights:
    return {name: tensor.clone() for name, tensor in learner.named_weights()}


def distance(one: Weights, other: Weights) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name].float() - other[name].float()).abs().max()) for name in one)


def update(learner: Learner, groups: Sequence[TrainingGroup]) -> UpdateStatistics:
    lengths = [
        length
        for group in groups
        for length, rewarded in zip(group.scored.num_tokens, group.scored.rewarded, strict=True)
        if rewarded.masked is None
    ]
    return learner.update(groups, LossDenominators(len(lengths), sum(lengths)))


class PlainTorch:
    """The same training written plainly: one sequence at a time through the Hugging Face model, no DeepSpeed."""

    def __init__(self, model_dir: Path, config: Config) -> None:
        self.config = config
        self.processor = load_processor(model_dir, config.model)
        self.model = load_policy(model_dir, config.model, device=CPU).hf
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": OPTIMIZER.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=OPTIMIZER.learning_rate)

    def log_distribution(self, prompt: np.ndarray, response: np.ndarray, image: bytes) -> torch.Tensor:
        pixels = self.processor.image_processor(images=[decode_image(image, ImageLimits())], return_tensors="pt")
        token_ids = torch.tensor(np.concatenate([prompt, response]))[None].long()
        is_image = (token_ids == self.processor.image_token_id).int()
        logits = self.model(input_ids=token_ids, mm_token_type_ids=is_image, **pixels).logits
        return logits[0, len(prompt) - 1 : -1]

    def step(self, loss: torch.Tensor) -> float:
        self.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), OPTIMIZER.max_grad_norm)
        self.optimizer.step()
        return float(norm)

    def update(self, groups: Sequence[TrainingGroup]) -> tuple[float, float]:
        """Paper equation 5 with k3, term by term."""
        settings, per_response = self.config.loss, []
        for item in groups:
            for index, response in enumerate(item.group.responses):
                if item.scored.rewarded[index].masked is not None:
                    continue
                (image,) = item.group.images
                logits = self.log_distribution(item.group.prompt_token_ids, response.token_ids, image)
                logits[:, list(suppressed_token_ids(self.processor))] = -torch.inf
                taken = torch.tensor(response.token_ids).long()[:, None]
                new = (logits / self.config.rollout.sampling.temperature).log_softmax(-1).gather(-1, taken)[:, 0]
                ratio = (new - torch.tensor(response.logprobs)).exp()
                advantage = item.scored.advantages[index]
                bounded = ratio.clamp(1 - settings.clip_ratio, 1 + settings.clip_ratio)
                assert item.reference_logprobs is not None
                log_ratio = torch.tensor(item.reference_logprobs[index]) - new
                kl = log_ratio.exp() - log_ratio - 1
                per_response.append(
                    -torch.minimum(ratio * advantage, bounded * advantage) + settings.kl_coefficient * kl
                )
        if settings.aggregation == "token-mean":
            loss = torch.cat(per_response).mean()
        else:
            loss = torch.stack([tokens.mean() for tokens in per_response]).mean()
        return loss.item(), self.step(loss)


@pytest.mark.parametrize("aggregation", ["seq-mean-token-mean", "token-mean"])
@pytest.mark.parametrize("micro_batch_tokens", [64, 16384])
def test_updates_equal_plain_torch_by_value(
    tiny_policy: Path, make_group: Factory, make_config: Factory, aggregation: str, micro_batch_tokens: int
) -> None:
    loss = {"aggregation": aggregation, "kl_coefficient": 0.1}
    config = make_config(loss, micro_batch_tokens=micro_batch_tokens, zero_stage=0)
    learner, plain = Learner(tiny_policy, config, OPTIMIZER, total_steps=2), PlainTorch(tiny_policy, config)
    poisoned = make_group(3, masked=(1,))
    poisoned.group.responses[1].logprobs.fill(np.nan)  # a masked response contributes nothing, whatever is in it
    for groups in ([make_group(1), make_group(2, (7, 2))], [poisoned, make_group(4)]):
        statistics, (loss_value, norm) = update(learner, groups), plain.update(groups)
        assert statistics.skipped is None
        assert statistics.loss == pytest.approx(loss_value, abs=1e-6)
        assert statistics.grad_norm == pytest.approx(norm, rel=1e-4)
    # Adam divides by the gradient's size, so where it is near zero rounding moves a weight by up to a few 1e-5.
    assert distance(weights_of(learner), dict(plain.model.named_parameters())) < 5e-5


@pytest.mark.parametrize("zero_stage", [0, 1, 2, 3])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_non_finite_loss_leaves_everything_as_it_was(
    tiny_policy: Path, make_group: Factory, make_config: Factory, zero_stage: int, dtype: str
) -> None:
    config = make_config(dtype=dtype, zero_stage=zero_stage, micro_batch_tokens=128)
    learner, untouched = (Learner(tiny_policy, config, OPTIMIZER, total_steps=4) for _ in range(2))
    good, bad = [make_group(1), make_group(2)], [make_group(3), make_group(4)]
    bad[1].group.responses[0].logprobs[0] = np.nan
    update(learner, good), update(untouched, good)
    before = weights_of(learner)
    statistics = update(learner, bad)
    assert statistics.skipped == "non-finite loss"
    assert distance(before, weights_of(learner)) == 0.0
    assert update(learner, good).skipped is None
    update(untouched, good)
    assert distance(weights_of(learner), weights_of(untouched)) == 0.0


@pytest.mark.parametrize("zero_stage", [0, 2, 3])
def test_non_finite_gradient_is_skipped(
    tiny_policy: Path, make_group: Factory, make_config: Factory, zero_stage: int
) -> None:
    learner = Learner(tiny_policy, make_config(zero_stage=zero_stage), OPTIMIZER, total_steps=2)
    before = weights_of(learner)
    norm_scale = learner._engine.module.hf.model.language_model.norm.weight
    handle = norm_scale.register_hook(lambda gradient: gradient * torch.inf)
    assert update(learner, [make_group(1)]).skipped == "non-finite gradient"
    handle.remove()
    assert distance(before, weights_of(learner)) == 0.0


@pytest.mark.parametrize(("zero_stage", "dtype"), [(0, "float32"), (3, "bfloat16")])
def test_weights_are_described_as_they_are_gathered(
    tiny_policy: Path, make_config: Factory, zero_stage: int, dtype: str
) -> None:
    learner = Learner(tiny_policy, make_config(dtype=dtype, zero_stage=zero_stage), OPTIMIZER, total_steps=1)
    gathered = [(name, tensor.dtype, tuple(tensor.shape)) for name, tensor in learner.named_weights()]
    assert learner.describe_weights() == gathered
    assert {weight[1] for weight in gathered} == {getattr(torch, dtype)}


def test_a_mini_batch_without_unmasked_responses_is_skipped(
    tiny_policy: Path, make_group: Factory, make_config: Factory
) -> None:
    learner = Learner(tiny_policy, make_config(), OPTIMIZER, total_steps=2)
    before = weights_of(learner)
    assert update(learner, [make_group(1, masked=(0, 1, 2))]).skipped == "no unmasked response"
    assert distance(before, weights_of(learner)) == 0.0


def test_activation_checkpointing_changes_nothing(tiny_policy: Path, make_group: Factory, make_config: Factory) -> None:
    learners = [
        Learner(tiny_policy, make_config(activation_checkpointing=value), OPTIMIZER, total_steps=1)
        for value in (False, True)
    ]
    losses = [update(learner, [make_group(1), make_group(2)]).loss for learner in learners]
    assert losses[0] == losses[1]
    assert distance(*map(weights_of, learners)) < 1e-6


@pytest.mark.parametrize("zero_stage", [0, 2, 3])
def test_resume_is_exact(
    tiny_policy: Path, make_group: Factory, make_config: Factory, tmp_path: Path, zero_stage: int
) -> None:
    config = make_config(zero_stage=zero_stage)
    optimizer = OPTIMIZER.model_copy(update={"schedule": "cosine", "warmup_fraction": 0.5})
    learner, resumed = (Learner(tiny_policy, config, optimizer, total_steps=4) for _ in range(2))
    for seed in (1, 2):
        update(learner, [make_group(seed)])
    learner.save_checkpoint(tmp_path / "checkpoint", weight_version=7)
    assert verify_checkpoint(tmp_path / "checkpoint") == []
    assert resumed.load_checkpoint(tmp_path / "checkpoint") == 7
    for seed in (3, 4):
        assert update(learner, [make_group(seed)]) == update(resumed, [make_group(seed)])
    assert distance(weights_of(learner), weights_of(resumed)) == 0.0


def test_a_damaged_or_foreign_checkpoint_is_refused(tiny_policy: Path, make_config: Factory, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    learner = Learner(tiny_policy, make_config(zero_stage=2), OPTIMIZER, total_steps=1)
    learner.save_checkpoint(checkpoint, weight_version=0)
    with pytest.raises(RunError, match="zero_stage"):
        Learner(tiny_policy, make_config(zero_stage=0), OPTIMIZER, total_steps=1).load_checkpoint(checkpoint)
    largest = max(checkpoint.rglob("*.pt"), key=lambda file: file.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])
    with pytest.raises(RunError, match="instead of"):
        learner.load_checkpoint(checkpoint)


@pytest.mark.parametrize("policy", ["tiny_policy", "tiny_policy_untied"])
@pytest.mark.parametrize("zero_stage", [0, 3])
def test_export_loads_in_plain_transformers_with_the_same_logprobs(
    request: pytest.FixtureRequest,
    make_group: Factory,
    make_config: Factory,
    tmp_path: Path,
    policy: str,
    zero_stage: int,
) -> None:
    model_dir, config = request.getfixturevalue(policy), make_config(zero_stage=zero_stage)
    learner = Learner(model_dir, config, OPTIMIZER, total_steps=1)
    item = make_group(1)
    update(learner, [item])
    learner.export_hf(tmp_path / "export")
    files = {file.name for file in model_dir.iterdir()}
    assert {file.name for file in (tmp_path / "export").iterdir()} == files | {"manifest.json"}
    assert verify_checkpoint(tmp_path / "export") == []
    exported = PlainTorch(tmp_path / "export", config)
    assert distance(weights_of(learner), dict(exported.model.named_parameters())) == 0.0
    expected = ReferenceWorker(tmp_path / "export", config).logprobs(item.group)
    for ours, theirs in zip(learner.logprobs([item.group])[0], expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def demonstration(response: str, spans: tuple[tuple[int, int], ...] | None, image: bytes) -> SFTItem:
    sample = Sample("a", ("face.png",), "Which emotion may this image evoke?", ("awe", "fear"), "awe", "FI-8")
    return SFTItem(DemonstrationSample(sample, response, spans, loss_on_end=spans is None), (image,))


def test_sft_steps_equal_plain_torch_by_value(tiny_policy: Path, face_image: bytes, make_config: Factory) -> None:
    config = make_config(micro_batch_tokens=128)
    learner, plain = Learner(tiny_policy, config, OPTIMIZER, total_steps=2), PlainTorch(tiny_policy, config)
    text = "<answer>awe</answer><confidence>0.75</confidence>"
    spans = ((text.index("<confidence>"), len(text)),)
    items = [demonstration(text, spans, face_image), demonstration("<answer>fear</answer>", None, face_image)]
    for _ in range(2):
        losses = []
        for item in items:
            prompt_text = render_prompt(plain.processor, item.demonstration.sample)
            image = decode_image(face_image, ImageLimits())
            prompt = plain.processor(text=[prompt_text], images=[image])["input_ids"][0]
            encoded = plain.processor.tokenizer(item.demonstration.response, return_offsets_mapping=True)
            response = np.array([*encoded["input_ids"], plain.processor.tokenizer.eos_token_id])
            logprobs = plain.log_distribution(np.array(prompt), response, face_image).log_softmax(-1)
            losses.append(-logprobs.gather(-1, torch.tensor(response)[:, None])[:, 0])
        first = [start for start, end in plain.processor.tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
                 if end > spans[0][0]]  # fmt: skip
        losses[0] = losses[0][:-1][-len(first) :]
        expected = torch.cat(losses).mean()
        statistics = learner.sft_step(items, max_length=2048)
        assert statistics.loss == pytest.approx(expected.item(), rel=1e-5)
        assert statistics.num_tokens == len(torch.cat(losses))
        assert statistics.grad_norm == pytest.approx(plain.step(expected), rel=1e-4)
    assert distance(weights_of(learner), dict(plain.model.named_parameters())) < 5e-5


def test_sft_drops_what_is_too_long(tiny_policy: Path, face_image: bytes, make_config: Factory) -> None:
    learner = Learner(tiny_policy, make_config(), OPTIMIZER, total_steps=3)
    items = [demonstration(response, None, face_image) for response in ("awe", "awe " * 300)]
    both, short = learner.sft_step(items, max_length=200), learner.sft_step(items[:1], max_length=200)
    assert (both.extra["dropped"], short.extra["dropped"]) == (1, 0)
    assert both.num_tokens == short.num_tokens
    assert learner.sft_step(items[1:], max_length=200).skipped == "no token carries loss"


@pytest.mark.parametrize("frozen", [(), ("vision",), ("projector",), ("vision", "projector")])
def test_what_is_frozen_stays_and_the_rest_learns(
    tiny_policy: Path, face_image: bytes, make_config: Factory, frozen: tuple[str, ...]
) -> None:
    freeze = {f"freeze_{part}": True for part in frozen}
    learner = Learner(tiny_policy, make_config(), OPTIMIZER, total_steps=1, **freeze)
    before = weights_of(learner)
    learner.sft_step([demonstration("<answer>awe</answer>", None, face_image)], max_length=2048)
    moved = {name for name, tensor in learner.named_weights() if not torch.equal(tensor, before[name])}
    parts = {name: "projector" if ".merger." in name else "vision" for name in before if "visual" in name}
    assert {parts.get(name, "language") for name in moved} == {"language", "vision", "projector"} - set(frozen)
    assert all(name in moved for name in before if "visual" not in name and "bias" not in name)


def test_the_inputs_of_a_step_are_echoed_with_the_pixel_limits_applied(
    tiny_policy: Path, face_image: bytes, make_config: Factory
) -> None:
    item, long = (demonstration(text, None, face_image) for text in ("<answer>awe</answer>", "awe " * 300))
    for limits, size, num_image_tokens in (({}, (84, 84), 9), ({"max_pixels": 56 * 56}, (56, 56), 4)):
        config = make_config().model_copy(update={"model": ModelConfig(**limits)})
        short, dropped = Learner(tiny_policy, config, OPTIMIZER, total_steps=1).sft_step([item, long], 200).inputs
        assert short.image_sizes == (size,)
        assert short.image_tokens == num_image_tokens
        prompt = render_prompt(load_processor(tiny_policy, config.model), item.demonstration.sample)
        tokenizer = load_processor(tiny_policy, config.model).tokenizer
        num_response = len(tokenizer(item.demonstration.response)["input_ids"]) + 1
        assert short.num_tokens == len(tokenizer(prompt)["input_ids"]) - 1 + num_image_tokens + num_response
        assert (short.num_loss_tokens, short.dropped) == (num_response, False)
        assert (dropped.num_loss_tokens, dropped.dropped) == (0, True)
        assert dropped.num_tokens > 200


def test_evaluation_loss_is_what_the_next_step_reports(
    tiny_policy: Path, face_image: bytes, make_config: Factory
) -> None:
    learner = Learner(tiny_policy, make_config(micro_batch_tokens=64), OPTIMIZER, total_steps=1)
    items = [demonstration(text, None, face_image) for text in ("<answer>awe</answer>", "fear", "awe " * 300)]
    before = weights_of(learner)
    loss = learner.sft_loss(items, max_length=200)
    assert distance(before, weights_of(learner)) == 0.0
    learner.prepare(items)
    step = learner.sft_step(items, max_length=200)
    assert loss.num_tokens == step.num_tokens
    assert loss.total / loss.num_tokens == pytest.approx(step.loss, abs=1e-6)
    assert learner.sft_loss(items[2:], max_length=200) == LossSum(0.0, 0)


def test_scaffold_kl_starts_at_zero_and_holds_the_other_tokens(
    tiny_policy: Path, face_image: bytes, make_config: Factory
) -> None:
    text = "<answer>awe</answer><confidence>0.75</confidence>"
    items = [demonstration(text, ((text.index("<confidence>"), len(text)),), face_image)]
    drift = {}
    for weight in (1e-6, 3.0):
        learner = Learner(tiny_policy, make_config(), OPTIMIZER, total_steps=20, scaffold_kl=weight)
        first = learner.sft_step(items, max_length=2048)
        assert first.extra["scaffold_kl"] == pytest.approx(0.0, abs=1e-6)
        drift[weight] = [learner.sft_step(items, max_length=2048) for _ in range(15)][-1].extra["scaffold_kl"]
    assert drift[3.0] < 0.5 * drift[1e-6]


def test_mismatch_measures_the_distance_from_the_sampling_policy(
    tiny_policy: Path, make_group: Factory, make_config: Factory
) -> None:
    learner = Learner(tiny_policy, make_config(), OPTIMIZER, total_steps=1)
    item = make_group(1)
    sampled = [logprobs.copy() for logprobs in learner.logprobs([item.group])[0]]
    sampled[1][2] += 0.25
    responses = tuple(
        replace(response, logprobs=logprobs) for response, logprobs in zip(item.group.responses, sampled, strict=True)
    )
    statistics = update(learner, [replace(item, group=replace(item.group, responses=responses))])
    assert statistics.extra["logprob_mismatch"] == pytest.approx(0.25, abs=1e-5)
    assert statistics.extra["logprob_mismatch_mean"] == pytest.approx(0.25 / 9 / 3, abs=1e-5)
