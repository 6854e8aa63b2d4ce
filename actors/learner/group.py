from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from emocal_rl.actors.learner.batching import shard_by_tokens
from emocal_rl.actors.learner.examples import SFTItem
from emocal_rl.platform.config.learner import OptimizerConfig
from emocal_rl.platform.contracts import LossDenominators, LossSum, ScoredGroup, UpdateStatistics


class LearnerGroup:
    """All learner ranks as one, seen from the driver. Groups, log-probs and weights pass by as object refs.

    Args:
        workers: Ray handles of `LearnerWorker` actors, rank 0 first.
    """

    def __init__(self, workers: Sequence[Any]) -> None:
        self.workers = list(workers)
        self.weight_version = 0
        """Increases with every `publish` or `send`."""

    def start(
        self,
        model_dir: str | Path,
        optimizer: OptimizerConfig,
        *,
        total_steps: int,
        freeze_vision: bool = False,
        freeze_projector: bool = False,
        scaffold_kl: float = 0.0,
    ) -> None:
        """Load the model on all ranks and connect them; see `Learner`.

        Raises:
            ModelError: the checkpoint is incomplete or not supported.
        """
        import ray

        address = ray.get(self.workers[0].address.remote()) if len(self.workers) > 1 else None
        self._all(
            "start",
            str(model_dir),
            optimizer,
            address,
            total_steps=total_steps,
            freeze_vision=freeze_vision,
            freeze_projector=freeze_projector,
            scaffold_kl=scaffold_kl,
        )

    def update(
        self, mini_batch: Sequence[tuple[Any, ScoredGroup, Any]], old_logprobs: Sequence[Any] | None = None
    ) -> UpdateStatistics:
        """One optimizer step on a mini-batch (paper equation 5).

        Args:
            mini_batch: for each group its ref, its rewards and advantages, and the ref of its reference log-probs or
                None.
            old_logprobs: for each group recomputed log-probs; None takes those recorded while sampling.
        """
        old = old_logprobs if old_logprobs is not None else [None] * len(mini_batch)
        entries = [(*entry, before) for entry, before in zip(mini_batch, old, strict=True)]
        lengths = [_unmasked_lengths(scored) for _, scored, _ in mini_batch]
        denominators = LossDenominators(sum(map(len, lengths)), sum(map(sum, lengths)))
        num_tokens = [
            len(part) * scored.prompt_tokens + sum(part)
            for part, (_, scored, _) in zip(lengths, mini_batch, strict=True)
        ]
        shards = shard_by_tokens(num_tokens, len(self.workers))
        return self._first(
            worker.update.remote([entries[index] for index in shard.indices], denominators, shard.idle)
            for worker, shard in zip(self.workers, shards, strict=True)
        )

    def prepare(self, items: Sequence[SFTItem]) -> None:
        """Let the ranks encode a coming batch of `sft_step` beside the present one's training; returns at once."""
        for worker, (shard, _) in zip(self.workers, self._shards(items), strict=True):
            worker.prepare.remote(shard)

    def sft_step(self, items: Sequence[SFTItem], max_length: int) -> UpdateStatistics:
        """One optimizer step on demonstrations (paper equations 1 and 3); see `Learner.sft_step`."""
        import ray

        statistics: list[UpdateStatistics] = ray.get(
            [
                worker.sft_step.remote(shard, max_length, idle)
                for worker, (shard, idle) in zip(self.workers, self._shards(items), strict=True)
            ]
        )
        return replace(statistics[0], inputs=tuple(chain.from_iterable(update.inputs for update in statistics)))

    def sft_loss(self, items: Sequence[SFTItem], max_length: int) -> LossSum:
        """Cross-entropy of demonstrations under the present weights; see `Learner.sft_loss`."""
        import ray

        sums: list[LossSum] = ray.get(
            [
                worker.sft_loss.remote(shard, max_length, idle)
                for worker, (shard, idle) in zip(self.workers, self._shards(items), strict=True)
            ]
        )
        return sums[0]

    def logprobs(self, groups: Sequence[Any]) -> list[list[npt.NDArray[np.float32]]]:
        """Log-probs of the groups' response tokens under the present weights: for each group, (T,) per response."""
        import ray

        num_ranks = len(self.workers)
        shares = [groups[rank::num_ranks] or groups[:1] for rank in range(num_ranks)]
        parts = ray.get([worker.logprobs.remote(share) for worker, share in zip(self.workers, shares, strict=True)])
        return [parts[index % num_ranks][index // num_ranks] for index in range(len(groups))]

    def snapshot(self) -> Any:
        """Ref of a `WeightSnapshot` of the present weights: those of `weight_version` until the next update."""
        import ray

        refs = [worker.snapshot.remote() for worker in self.workers]
        ray.get(refs[1:])
        ray.wait(refs[:1], fetch_local=False)
        return refs[0]

    def publish(self) -> tuple[Any, int]:
        """Give the present weights a new version; return the ref of their `WeightSnapshot` and the version."""
        snapshot = self.snapshot()
        self.weight_version += 1
        return snapshot, self.weight_version

    def connect(self, backend: Literal["nccl", "ipc"], rollouts: Sequence[Any], tensor_parallel_size: int) -> None:
        """Connect all ranks with the rollout workers for `send`; an earlier connection is given up. Never run.

        Raises:
            EngineError: they did not come together within `learner.timeout_s`.
        """
        import ray

        address = ray.get(self.workers[0].address.remote())
        self._all("connect", backend, list(rollouts), tensor_parallel_size, address)

    def send(self) -> int:
        """Give the present weights a new version and send them over the connection. Never run.

        Returns:
            The version, which by then every rollout worker has confirmed.

        Raises:
            EngineError: sending failed or hangs; the version is then not used up.
        """
        self._all("send", self.weight_version + 1)
        self.weight_version += 1
        return self.weight_version

    def export_hf(self, directory: str | Path) -> None:
        """Write a Hugging Face checkpoint; see `Learner.export_hf`."""
        self._all("export_hf", str(directory))

    def save_checkpoint(self, directory: str | Path) -> None:
        """Write what a resume needs; see `Learner.save_checkpoint`."""
        self._all("save_checkpoint", str(directory), self.weight_version)

    def load_checkpoint(self, directory: str | Path) -> None:
        """Continue from a checkpoint, weight version included.

        Raises:
            RunError: it is incomplete, or was written under another number of ranks or ZeRO stage.
        """
        self.weight_version = self._all("load_checkpoint", str(directory))[0]

    def merge(self, updates: Sequence[UpdateStatistics]) -> dict[str, float]:
        """Metrics of one step out of its optimizer steps: means, but for the mismatch, which the first one measures.

        After the first optimizer step the policy has moved on from the one that sampled.
        """
        merged = {
            f"loss/{name}": _mean([update.extra[name] for update in updates if name in update.extra])
            for name in ("policy", "kl", "clip_share", "ratio_mean")
        }
        return {
            **merged,
            "loss/logprob_mismatch": updates[0].extra.get("logprob_mismatch", float("nan")),
            "loss/logprob_mismatch_mean": updates[0].extra.get("logprob_mismatch_mean", float("nan")),
            "optimizer/grad_norm": _mean([update.grad_norm for update in updates]),
            "optimizer/learning_rate": updates[-1].learning_rate,
            "optimizer/skipped_updates": float(sum(update.skipped is not None for update in updates)),
        }

    def _shards(self, items: Sequence[SFTItem]) -> list[tuple[list[SFTItem], bool]]:
        """Each rank's demonstrations, and whether they only stand in."""
        # The driver holds no tokenizer: characters balance the ranks well enough.
        sizes = [len(item.demonstration.sample.question) + len(item.demonstration.response) for item in items]
        shards = shard_by_tokens(sizes, len(self.workers))
        return [([items[index] for index in shard.indices], shard.idle) for shard in shards]

    def _all(self, method: str, *args: Any, **kwargs: Any) -> list[Any]:
        import ray

        results: list[Any] = ray.get([getattr(worker, method).remote(*args, **kwargs) for worker in self.workers])
        return results

    def _first(self, refs: Any) -> UpdateStatistics:
        """Wait for all ranks; their statistics are the same."""
        import ray

        statistics: UpdateStatistics = ray.get(list(refs))[0]
        return statistics


def _unmasked_lengths(scored: ScoredGroup) -> list[int]:
    return [
        length for length, rewarded in zip(scored.num_tokens, scored.rewarded, strict=True) if rewarded.masked is None
    ]


def _mean(values: Sequence[float]) -> float:
    return float(np.nanmean(values)) if any(value == value for value in values) else float("nan")
