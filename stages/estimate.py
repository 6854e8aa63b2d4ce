"""What a run will take, before it starts: written formulas, no engine. Rough, and said to be."""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path

from emocal_rl.actors.model_source import local_model
from emocal_rl.platform.config.cluster import ClusterConfig
from emocal_rl.platform.config.model import ModelConfig
from emocal_rl.platform.config.stages import SFTConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.gpus import num_planned_gpus
from emocal_rl.stages.prompt_order import num_steps

_TINY_PARAMETERS = 1_000_000
_HUB_PARAMETERS = {"Qwen/Qwen2.5-VL-3B-Instruct": 3_754_622_976, "Qwen/Qwen2.5-VL-7B-Instruct": 8_292_166_656}
"""Worked out from the checkpoints' shapes, so that a plan needs no download."""
_PROCESS_GIB = {"rollout": 1.1, "learner": 0.8, "reference": 0.7, "reward": 0.1}
"""Interpreter, libraries and engine of one worker before any weight, as measured on CPU."""
_START_S = 20.0
"""Starting one engine: mostly imports."""
# The tiny policy on CPU, per worker, as measured where two workers of a role take turns on two cores:
_VISION_IMAGES_PER_S = 300.0
_SFT_SAMPLES_PER_S = 40.0
_RESPONSE_TOKENS = 38
_ROLLOUT_TOKENS_PER_S = 1500.0
_UPDATE_RESPONSES_PER_S = 45.0
"""Reference, update and sync, which wait for one another."""
_CHECKPOINT_S = 3.5
_MODEL_FLOPS_UTILISATION = 0.35
_GPU_FLOPS = 4e14
"""Dense bfloat16 of one current data-centre GPU."""


@dataclass(frozen=True)
class MemoryEstimate:
    """GiB of one worker of each role, on its GPU where it has one; `offloaded_gib` a learner rank holds in the host."""

    num_parameters: int
    per_worker_gib: dict[str, float]
    offloaded_gib: float = 0.0


@dataclass(frozen=True)
class TimeEstimate:
    """Seconds of each part of the run."""

    parts_s: dict[str, float]

    @property
    def total_s(self) -> float:
        """All parts."""
        return sum(self.parts_s.values())


def count_parameters(model: Path | None) -> int:
    """Number of parameters, read from the headers of a checkpoint's safetensors files; the tiny policy's for None."""
    if model is None:
        return _TINY_PARAMETERS
    count = 0
    for path in model.glob("*.safetensors"):
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
        count += sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
    return count


def known_parameters(config: ModelConfig) -> int | None:
    """Number of parameters of `config`'s model: counted where it is on disk, known for the paper's; else None."""
    model = local_model(config) if config.path else None
    return _HUB_PARAMETERS.get(config.path) if config.path and model is None else count_parameters(model)


def estimate_memory(config: Config, num_parameters: int, *, on_gpu: bool) -> MemoryEstimate:
    """Weights, gradients and Adam states by ZeRO stage; a key-value cache for the engine; a process for each.

    With b bytes per parameter (4 in float32, 2 in 16 bit), R ranks and N parameters, a rank holds: weights bN (stage 3:
    /R), gradients bN (stages 2 and 3: a float32 sum, 4N/R), Adam and master weights 12N in 16 bit or 8N in float32
    (stages 1 to 3: /R). With `learner.offload_optimizer` states and sum are in the host's memory, and gradients bN/R.
    With LoRA gradients and states are the adapters', left out here. Activations are left out. On a GPU the engine then
    takes all of its share, `rollout.gpu_memory_utilization`.
    """
    size = _bytes_each(config, on_gpu=on_gpu)
    ranks, stage = config.learner.num_workers, config.learner.zero_stage
    states = (8 if size == 4 else 12) / (ranks if stage >= 1 else 1)
    offloads = config.learner.offload_optimizer and on_gpu
    gradients = (4 if not offloads else size) / ranks if stage >= 2 else size
    weights = size / (ranks if stage == 3 else 1)
    if config.learner.lora.rank:
        states = gradients = 0.0
    offloaded = states if offloads else 0.0
    gib = num_parameters / 2**30
    per_worker = {
        "rollout": size * gib / config.rollout.tensor_parallel_size + config.rollout.kv_cache_gib,
        "learner": (weights + gradients + states - offloaded) * gib,
        "reference": size * gib,
        "reward": 0.0,
    }
    return MemoryEstimate(
        num_parameters, {role: _PROCESS_GIB[role] + value for role, value in per_worker.items()}, offloaded * gib
    )


def object_store_gib(config: Config, num_parameters: int | None, *, on_gpu: bool) -> float:
    """Size of the object store of a job that sends weights, unless `cluster.object_store_gib` sets it.

    1 GiB for images and groups, and two snapshots of the weights: the one that workers still read, or that a restarted
    one will ask for, and the next. Of unknown `num_parameters` nothing can be added.
    """
    if config.cluster.object_store_gib is not None:
        return config.cluster.object_store_gib
    snapshot_gib = _bytes_each(config, on_gpu=on_gpu) * (num_parameters or 0) / 2**30
    return 1.0 + math.ceil(20 * snapshot_gib) / 10


def with_object_store(config: Config) -> ClusterConfig:
    """The cluster settings of a job that sends weights, with the object store sized for them."""
    on_gpu = num_planned_gpus(config.cluster.address) > 0
    size_gib = object_store_gib(config, known_parameters(config.model), on_gpu=on_gpu)
    return config.cluster.model_copy(update={"object_store_gib": size_gib})


def _bytes_each(config: Config, *, on_gpu: bool) -> int:
    return 4 if config.model.dtype == "float32" or (config.model.dtype == "auto" and not on_gpu) else 2


def estimate_time(
    config: Config, num_parameters: int, *, num_prompts: int, num_test: int, builds_cold_start: bool, on_gpu: bool
) -> TimeEstimate:
    """Seconds per part, from throughputs measured on the tiny policy (CPU) or from FLOPs at 35 % utilisation (GPU)."""
    settings = config.calibration
    steps = num_steps(settings, num_prompts)
    responses = steps * settings.prompts_per_step * settings.group_size
    slowdown = max(1.0, num_parameters / _TINY_PARAMETERS)
    if on_gpu:
        tokens = config.rollout.sampling.max_new_tokens / 4
        flops = 8 * num_parameters * tokens * responses  # update 6 N, reference 2 N per token
        workers = config.rollout.num_workers + config.learner.num_workers
        return TimeEstimate(
            {"calibration": flops / (_GPU_FLOPS * _MODEL_FLOPS_UTILISATION * workers) * 2, "start": 120.0}
        )
    answers_per_s = _ROLLOUT_TOKENS_PER_S * config.rollout.num_workers / (_RESPONSE_TOKENS * slowdown)
    updates_per_s = _UPDATE_RESPONSES_PER_S * config.learner.num_workers / slowdown
    num_validation = num_test if config.data.train else config.synthvec.num_validation
    parts = {"start": 2 * _START_S, "evaluation": 2 * (2 if config.evaluation.greedy else 1) * num_test / answers_per_s}
    if config.alarms.cold_start_answers and (builds_cold_start or config.model.path):  # else they are there already
        visited = min(steps * settings.prompts_per_step, num_prompts)
        parts["evaluation"] += visited / answers_per_s
    if settings.eval_every:
        parts["validation"] = max(0, steps - 1) // settings.eval_every * num_validation / answers_per_s
    checkpoints = math.ceil(steps / settings.save_every) if settings.save_every else 1
    parts["calibration"] = responses / answers_per_s + responses / updates_per_s + checkpoints * _CHECKPOINT_S
    return TimeEstimate((_cold_start_parts(config) if builds_cold_start else {}) | parts)


def _cold_start_parts(config: Config) -> dict[str, float]:
    world, pretraining = config.synthvec, config.pretraining

    def sft(settings: SFTConfig, count: int) -> float:
        return _START_S + settings.epochs * count / (_SFT_SAMPLES_PER_S * config.learner.num_workers)

    seen = pretraining.vision_epochs * world.num_pretrain
    return {
        "vision pre-training": seen / _VISION_IMAGES_PER_S,
        "language pre-training": sft(pretraining.language, min(world.num_pretrain, pretraining.num_language)),
        "reasoning": sft(config.reasoning, world.num_reasoning),
        "confidence": _START_S + sft(config.confidence, world.num_confidence)
        + world.num_confidence * _RESPONSE_TOKENS / (_ROLLOUT_TOKENS_PER_S * config.rollout.num_workers),
    }  # fmt: skip
