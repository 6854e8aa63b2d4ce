import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from emocal_rl.actors.learner.batching import pack_micro_batches
from emocal_rl.actors.learner.checkpoint import (
    atomic_directory,
    read_manifest,
    require_complete,
    staging_path,
    write_manifest,
)
from emocal_rl.actors.learner.demonstration_encoder import DemonstrationEncoder
from emocal_rl.actors.learner.engine import build_engine, join_process_group
from emocal_rl.actors.learner.examples import (
    PolicyExample,
    SFTExample,
    SFTItem,
    TrainingGroup,
    encode_policy_examples,
    shortest_stand_in,
)
from emocal_rl.actors.learner.export import write_hf_checkpoint
from emocal_rl.actors.learner.lora import add_adapters, find_adapters, original_name
from emocal_rl.actors.learner.losses.forward_kl import forward_kl
from emocal_rl.actors.learner.losses.sft import token_cross_entropy
from emocal_rl.actors.learner.policy_update import MAXIMA, SUMS, policy_micro_batch_loss
from emocal_rl.actors.learner.schedule import learning_rate
from emocal_rl.actors.learner.totals import Totals, largest_over_ranks, sum_over_ranks
from emocal_rl.actors.logprob_pass import group_logprobs
from emocal_rl.actors.policy_model import freeze_vision as freeze_vision_parts
from emocal_rl.actors.policy_model import load_policy, load_processor
from emocal_rl.actors.sequence_batch import EncodedSequence, SequenceBatch, collate
from emocal_rl.actors.sequence_encoding import SequenceEncoder
from emocal_rl.actors.suppression import suppressed_token_ids
from emocal_rl.platform.config.learner import OptimizerConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import LossDenominators, LossSum, RolloutGroup, UpdateStatistics
from emocal_rl.platform.data.images import ImageLimits
from emocal_rl.platform.errors import EngineError, RunError

_TAG = "engine"
_ExampleT = TypeVar("_ExampleT", PolicyExample, SFTExample)


class Learner:
    """One DeepSpeed rank: policy, optimizer, and the losses of all three stages. Knows nothing of Ray.

    All ranks call the same methods in the same order. Losses are divided by counts over the whole mini-batch, all ranks
    and micro-batches included, so neither the number of ranks nor the size of micro-batches changes an update.

    Args:
        model_dir: Hugging Face checkpoint to start from.
        config: the run's configuration.
        optimizer: optimizer and schedule of the stage.
        total_steps: optimizer steps of the stage, for the schedule.
        freeze_vision: leave the vision encoder as it is (stages 1 and 2).
        freeze_projector: leave the projector as it is (stages 1 and 2).
        scaffold_kl: weight of KL(start || policy) on response tokens without loss (stage 2); above 0 a frozen copy of
            the start is kept. For small vocabularies: it compares whole distributions.
        rank: this rank.
        world_size: number of ranks.
        address: `host:port` of rank 0; None for a single rank.
    """

    def __init__(
        self,
        model_dir: str | Path,
        config: Config,
        optimizer: OptimizerConfig,
        *,
        total_steps: int,
        freeze_vision: bool = False,
        freeze_projector: bool = False,
        scaffold_kl: float = 0.0,
        rank: int = 0,
        world_size: int = 1,
        address: str | None = None,
    ) -> None:
        join_process_group(rank, world_size, address, config.learner.timeout_s)
        self._model_dir, self._config, self._optimizer = Path(model_dir), config, optimizer
        self._total_steps, self._rank, self._world_size = total_steps, rank, world_size
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._encoder = SequenceEncoder(load_processor(model_dir, config.model), ImageLimits.from_config(config.data))
        self._demonstrations = DemonstrationEncoder(self._encoder)
        self._suppressed = suppressed_token_ids(self._encoder.processor)
        policy = load_policy(model_dir, config.model, device=self._device)
        freeze_vision_parts(policy, encoder=freeze_vision, projector=freeze_projector)
        if config.learner.lora.rank:
            add_adapters(policy, config.learner.lora, seed=config.run.seed)
        self._adapters = find_adapters(policy.hf)
        if config.learner.activation_checkpointing:
            policy.hf.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        self._scaffold_kl = scaffold_kl
        self._scaffold = None
        if scaffold_kl > 0:
            self._scaffold = load_policy(model_dir, config.model, device=self._device).requires_grad_(False).eval()
        self._engine = build_engine(policy.train(), config.learner, optimizer)
        self._set_dropout(active=False)
        self.num_updates = 0
        """Optimizer steps so far, skipped ones included: the position in the schedule."""

    def update(
        self, groups: Sequence[TrainingGroup], denominators: LossDenominators, *, idle: bool = False
    ) -> UpdateStatistics:
        """One optimizer step on this rank's groups of a mini-batch (paper equation 5).

        Masked responses are left out. Every rank skips the step when a loss or gradient is not finite on any.

        Args:
            groups: this rank's shard, at least one group.
            denominators: unmasked responses of the whole mini-batch, and their tokens.
            idle: the shard only stands in: nothing of it counts.

        Returns:
            The same on every rank. `extra` has `policy`, `kl`, `clip_share` and `ratio_mean`, means under the loss's
            token weights, and `logprob_mismatch` (largest) and `logprob_mismatch_mean`: the distance of this policy's
            log-probs from those recorded while sampling. In the first update after a rollout that is the engines'
            disagreement, later it is how far training has moved.
        """
        totals = Totals(SUMS, MAXIMA, self._device)
        if denominators.num_responses == 0:
            return self._skip("no unmasked response")
        examples = [example for group in groups for example in encode_policy_examples(group, self._encoder)]
        sequence = examples[0].sequence if examples else self._encoder.encode_group(groups[0].group)[0]

        def loss_of(batch: SequenceBatch, members: Sequence[PolicyExample]) -> torch.Tensor:
            logprobs = self._engine(batch, self._config.rollout.sampling.temperature, self._suppressed)
            max_tokens = self._config.rollout.sampling.max_new_tokens
            return policy_micro_batch_loss(logprobs, members, denominators, self._config.loss, max_tokens, totals)

        self._accumulate_gradients([] if idle else examples, sequence, loss_of)
        return self._step(totals.reduce(), denominators.num_tokens)

    def prepare(self, items: Sequence[SFTItem]) -> None:
        """Begin to encode the demonstrations of a coming `sft_step` while the present one trains."""
        self._demonstrations.prepare(items)

    def sft_step(self, items: Sequence[SFTItem], max_length: int, *, idle: bool = False) -> UpdateStatistics:
        """One optimizer step on this rank's demonstrations (paper equations 1 and 3).

        Args:
            items: this rank's shard, at least one demonstration.
            max_length: longer demonstrations are dropped.
            idle: the shard only stands in: nothing of it counts.

        Returns:
            The same on every rank, but for `inputs`, which are this rank's. `extra`: `dropped` demonstrations,
            `scaffold_kl` (mean over tokens without loss).
        """
        encoded = self._demonstrations.encode(items)
        inputs = () if idle else tuple(example.describe(max_length=max_length) for example in encoded)
        examples = [] if idle else [example for example in encoded if example.sequence.num_tokens <= max_length]
        num_trained = sum(int(example.carries_loss.sum()) for example in examples)
        num_kept = sum(int((~example.carries_loss).sum()) for example in examples)
        num_dropped = 0 if idle else len(encoded) - len(examples)
        num_trained, num_kept, num_dropped = sum_over_ranks(self._device, num_trained, num_kept, num_dropped)
        if num_trained == 0:
            return replace(self._skip("no token carries loss", dropped=num_dropped), inputs=inputs)
        totals = Totals(("loss", "scaffold_kl"), (), self._device)

        def loss_of(batch: SequenceBatch, members: Sequence[SFTExample]) -> torch.Tensor:
            mask = torch.cat([example.carries_loss for example in members]).to(self._device)
            return self._sft_loss(batch, mask, num_trained, num_kept, totals)

        with self._dropout():
            self._accumulate_gradients(examples, encoded[0].sequence, loss_of)
        return replace(self._step(totals.reduce() | {"dropped": float(num_dropped)}, num_trained), inputs=inputs)

    def sft_loss(self, items: Sequence[SFTItem], max_length: int, *, idle: bool = False) -> LossSum:
        """Cross-entropy of demonstrations under the present weights, without training: the sum over their tokens.

        Arguments as in `sft_step`; the result is the same on every rank.
        """
        encoded = self._demonstrations.encode(items)
        examples = [] if idle else [example for example in encoded if example.sequence.num_tokens <= max_length]
        lengths = [example.sequence.num_tokens for example in examples]
        micro_batches = pack_micro_batches(lengths, self._config.learner.micro_batch_tokens)
        totals = Totals(("loss",), (), self._device)
        num_tokens = 0
        for number in range(largest_over_ranks(self._device, len(micro_batches))):
            members = [examples[index] for index in micro_batches[number]] if number < len(micro_batches) else []
            sequences = [member.sequence for member in members] or [shortest_stand_in(encoded[0].sequence)]
            with torch.no_grad():
                logprobs = self._engine(collate(sequences).to(self._device))
            if members:
                mask = torch.cat([member.carries_loss for member in members]).to(self._device)
                totals.add(loss=-logprobs[mask].double().sum())
                num_tokens += int(mask.sum())
        return LossSum(totals.reduce()["loss"], *sum_over_ranks(self._device, num_tokens))

    def logprobs(self, groups: Sequence[RolloutGroup]) -> list[list[npt.NDArray[np.float32]]]:
        """Log-probs of the groups' response tokens under the present weights, as the sampler defines them.

        Returns:
            For each group, (T,) float32 per response.
        """
        temperature = self._config.rollout.sampling.temperature
        return group_logprobs(
            groups,
            self._encoder,
            lambda batch: self._engine(batch.to(self._device), temperature, self._suppressed),
            budget=self._config.learner.micro_batch_tokens,
            at_least=lambda count: largest_over_ranks(self._device, count),
        )

    def describe_weights(self) -> list[tuple[str, torch.dtype, tuple[int, ...]]]:
        """Name, type and full shape of what `named_weights` yields, without gathering anything."""
        return [
            (original, parameter.dtype, tuple(getattr(parameter, "ds_shape", parameter.shape)))
            for name, parameter in self._engine.module.hf.named_parameters()
            if (original := original_name(name)) is not None
        ]

    def named_weights(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield (Hugging Face name, full tensor) of every parameter, tied ones once, on the learner's device.

        Adapters are merged into the weights they add to, so that nobody else has to know of them.

        Every rank must exhaust it: under ZeRO-3 each parameter is gathered from all ranks while it is yielded, and gone
        after that.
        """
        import deepspeed

        for name, parameter in self._engine.module.hf.named_parameters():
            original, adapter = original_name(name), self._adapters.get(name)
            if original is None:
                continue
            gathered = [parameter] if adapter is None else [parameter, adapter.down, adapter.up]
            with deepspeed.zero.GatheredParameters(gathered, enabled=self._config.learner.zero_stage == 3):
                yield original, parameter.data if adapter is None else adapter.merge(parameter.detach())

    def export_hf(self, directory: Path) -> None:
        """Write the weights as a Hugging Face checkpoint that plain transformers and plain vLLM load. Atomic.

        It has a manifest of its own, as `save_checkpoint` writes one.
        """
        with self._staged(directory) as staging:
            self._write_hf(staging)
            if self._rank == 0:
                write_manifest(staging, {})

    def save_checkpoint(self, directory: Path, weight_version: int) -> None:
        """Write weights, optimizer and position in the schedule, sharded as they are, with a manifest. Atomic.

        Args:
            directory: on a file system all ranks share.
            weight_version: the version these weights were last published as.
        """
        position = {"num_updates": self.num_updates, "weight_version": weight_version}
        with self._staged(directory) as staging:
            self._engine.save_checkpoint(str(staging), tag=_TAG, client_state=position, save_latest=False)
            torch.distributed.barrier()
            if self._rank == 0:
                shape = {"num_workers": self._world_size, "zero_stage": self._config.learner.zero_stage}
                write_manifest(staging, shape)

    def load_checkpoint(self, directory: Path) -> int:
        """Verify a checkpoint and continue from it, to the bit; return its weight version.

        Raises:
            RunError: it is incomplete, or was written under another number of ranks or ZeRO stage.
        """
        if self._rank == 0:
            require_complete(directory)
        torch.distributed.barrier()
        manifest = read_manifest(directory)
        for name, present in (("num_workers", self._world_size), ("zero_stage", self._config.learner.zero_stage)):
            if manifest[name] != present:
                key, rule = f"learner.{name}", f"the checkpoint was written with {manifest[name]}"
                raise RunError(key, present, rule=rule, fix="Resume with the same value.")
        path, position = self._engine.load_checkpoint(str(directory), tag=_TAG)
        if path is None:
            message = f"DeepSpeed loaded nothing from {directory} although it verifies"
            raise EngineError(message)
        self.num_updates = position["num_updates"]
        return int(position["weight_version"])

    @contextmanager
    def _dropout(self) -> Iterator[None]:
        """Drop out within the block, by numbers that only seed, step and rank decide: a resumed run repeats them."""
        torch.manual_seed(hash((self._config.run.seed, self.num_updates, self._rank)))
        self._set_dropout(active=True)
        yield
        self._set_dropout(active=False)

    def _set_dropout(self, *, active: bool) -> None:
        for module in self._engine.module.modules():
            if isinstance(module, torch.nn.Dropout):
                module.train(active)

    def _sft_loss(
        self, batch: SequenceBatch, mask: torch.Tensor, num_trained: int, num_kept: int, totals: Totals
    ) -> torch.Tensor:
        if self._scaffold is None:
            loss = token_cross_entropy(self._engine(batch), mask, num_trained)
            totals.add(loss=loss)
            return loss
        distribution = self._engine(batch, distribution=True)
        logprobs = distribution.gather(-1, batch.response_ids[:, None]).squeeze(-1)
        with torch.no_grad():
            frozen = self._scaffold(batch, distribution=True)[~mask]
        kept = forward_kl(distribution[~mask], frozen).sum() / max(1, num_kept)
        loss = token_cross_entropy(logprobs, mask, num_trained) + self._scaffold_kl * kept
        totals.add(loss=loss, scaffold_kl=kept)
        return loss

    def _accumulate_gradients(
        self,
        examples: Sequence[_ExampleT],
        fallback: EncodedSequence,
        loss_of: Callable[[SequenceBatch, Sequence[_ExampleT]], torch.Tensor],
    ) -> None:
        """Forward and backward of all micro-batches; ranks with fewer of them run `fallback` at zero weight."""
        micro_batches = pack_micro_batches(
            [example.sequence.num_tokens for example in examples], self._config.learner.micro_batch_tokens
        )
        num_micro_batches = largest_over_ranks(self._device, len(micro_batches))
        for number in range(num_micro_batches):
            self._engine.set_gradient_accumulation_boundary(number == num_micro_batches - 1)
            if number < len(micro_batches):
                members = [examples[index] for index in micro_batches[number]]
                batch = collate([example.sequence for example in members]).to(self._device)
                loss = loss_of(batch, members)
            else:
                loss = 0.0 * self._engine(collate([shortest_stand_in(fallback)]).to(self._device)).sum()
            # A loss that is not finite may still have finite gradients; poisoned, no ZeRO stage takes the step.
            loss = loss * torch.where(loss.detach().isfinite(), 1.0, math.nan)
            # DeepSpeed averages gradients over ranks; the loss's denominators are global already.
            self._engine.backward(loss * self._world_size, scale_wrt_gas=False)

    def _step(self, totals: dict[str, float], num_tokens: int) -> UpdateStatistics:
        """Take the optimizer step, unless loss or gradients are not finite on some rank."""
        rate = learning_rate(self.num_updates, self._total_steps, self._optimizer)
        for group in self._engine.optimizer.param_groups:
            group["lr"] = rate
        loss = totals.pop("loss")
        grad_norm = self._take_step()
        skipped = None
        if not math.isfinite(loss):
            skipped = "non-finite loss"
        elif not math.isfinite(grad_norm):
            skipped = "non-finite gradient"
        self.num_updates += 1
        return UpdateStatistics(loss, grad_norm, rate, num_tokens, skipped, totals)

    def _take_step(self) -> float:
        """Let DeepSpeed clip and step; return the gradient norm before clipping, not finite when nothing was changed.

        Gradients are averaged over ranks by now, so one rank's bad value is in every rank's norm. ZeRO and bfloat16
        optimizers discard such gradients themselves; plain float32 data parallelism would poison the weights.
        """
        engine = self._engine
        if engine.zero_optimization_stage() == 0 and not engine.bfloat16_enabled():
            gradients = [parameter.grad for parameter in engine.module.parameters() if parameter.grad is not None]
            norm = float(torch.nn.utils.get_total_norm(gradients))
            if not math.isfinite(norm):
                engine.zero_grad()
                return math.nan
            engine.step()
            return norm
        engine.step()
        norm = float(engine.get_global_grad_norm())
        if (applied := engine.was_step_applied()) != math.isfinite(norm):
            message = f"DeepSpeed's gradient norm is {norm}, but step applied is {applied}"
            raise EngineError(message)
        return norm

    def _skip(self, reason: str, **extra: float) -> UpdateStatistics:
        rate = learning_rate(self.num_updates, self._total_steps, self._optimizer)
        self.num_updates += 1
        return UpdateStatistics(math.nan, math.nan, rate, 0, reason, extra)

    def _write_hf(self, directory: Path) -> None:
        weights = self.named_weights()
        if self._rank == 0:
            write_hf_checkpoint(directory, self._engine.module.hf, weights, self._model_dir)
        for _ in weights:
            pass  # the other ranks take part in gathering

    @contextmanager
    def _staged(self, directory: Path) -> Iterator[Path]:
        """Let all ranks fill one directory that rank 0 creates and, when all are done, puts in its place."""
        if self._rank != 0:
            torch.distributed.barrier()
            yield staging_path(directory)
            torch.distributed.barrier()
        else:
            with atomic_directory(directory) as staging:
                torch.distributed.barrier()
                yield staging
                torch.distributed.barrier()
        torch.distributed.barrier()
