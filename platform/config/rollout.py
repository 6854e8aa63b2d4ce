from typing import Literal

from pydantic import Field

from emocal_rl.platform.config.section import Section


class SamplingConfig(Section):
    """How responses are drawn."""

    temperature: float = Field(default=1.0, ge=0, le=2)
    """Softmax temperature; 0 is greedy."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Nucleus mass. Training needs 1: the learner's log-probs know no nucleus."""
    max_new_tokens: int = Field(default=2048, ge=1, le=32768)
    """A response is cut (and counts as malformed) after this many tokens."""


class RolloutConfig(Section):
    """The rollout workers and the vLLM engine each of them holds."""

    num_workers: int = Field(default=1, ge=1, le=4096)
    """Rollout workers, data-parallel over prompts."""
    engine: Literal["vllm", "scripted"] = "vllm"
    """`scripted` answers from a fixed list; it exists for unit tests."""
    tensor_parallel_size: int = Field(default=1, ge=1, le=64)
    """GPUs one engine spans."""
    sampling: SamplingConfig = SamplingConfig()
    """Sampling during training."""
    max_model_len: int = Field(default=6144, ge=64)
    """Prompt plus response, in tokens (official: 4096 + 2048)."""
    max_images: int = Field(default=1, ge=1, le=64)
    """Images in one prompt at most; `eval run` raises it to what its questions show."""
    max_num_seqs: int = Field(default=128, ge=1, le=4096)
    """Sequences decoded together by one engine."""
    gpu_memory_utilization: float = Field(default=0.6, gt=0, le=0.98)
    """Share of each GPU's memory the engine may use (official: 0.6)."""
    kv_cache_gib: float = Field(default=0.5, gt=0)
    """Key-value cache of one CPU engine, in GiB."""
    enforce_eager: bool = False
    """Skip CUDA graphs; always on for CPU."""
    max_restarts: int = Field(default=3, ge=0)
    """A rollout worker that dies is restarted, and its unfinished groups sampled again, this many times per run."""
