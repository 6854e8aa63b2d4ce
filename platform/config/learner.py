from typing import Literal

from pydantic import Field

from emocal_rl.platform.config.section import Section


class OptimizerConfig(Section):
    """AdamW, its schedule and gradient clipping."""

    learning_rate: float = Field(default=1e-6, gt=0, le=1)
    """Peak learning rate."""
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    """Decoupled weight decay."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Adam's moment decays."""
    epsilon: float = Field(default=1e-8, gt=0)
    """Adam's denominator floor."""
    warmup_fraction: float = Field(default=0.0, ge=0, lt=1)
    """Share of all optimizer steps over which the rate rises linearly from 0."""
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    """Course of the rate after warm-up; cosine and linear end at `final_fraction` of the peak."""
    final_fraction: float = Field(default=0.0, ge=0, le=1)
    """Rate at the end, as a share of the peak."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Global L2 norm gradients are clipped to."""


class LoRAConfig(Section):
    """Low-rank adapters: only they are trained, and they are merged on export and on every sync to the engines."""

    rank: int = Field(default=0, ge=0, le=1024)
    """Rank of the adapters; 0 trains the weights themselves. Needs the extra `lora`."""
    alpha: float = Field(default=32.0, gt=0)
    """Adapters are scaled by alpha / rank."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout before the adapters in stages 1 and 2. Stage 3 has none: its log-probs must be the sampler's."""
    target_modules: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    """Names of the language model's linear layers that get an adapter."""


class LearnerConfig(Section):
    """The learner group: DeepSpeed ranks as Ray actors. The same group runs stages 1, 2 and 3."""

    num_workers: int = Field(default=1, ge=1, le=4096)
    """DeepSpeed ranks."""
    zero_stage: Literal[0, 1, 2, 3] = 2
    """What DeepSpeed shards: 0 nothing, 1 optimizer, 2 and gradients, 3 and parameters. In 16 bit, only 2 and 3 add up
    the gradients of micro-batches in float32."""
    offload_optimizer: bool = False
    """Keep optimizer state in host memory."""
    micro_batch_tokens: int = Field(default=16384, ge=64)
    """Padded tokens (prompt and response) of one micro-batch; sequences are grouped by length to fill it."""
    activation_checkpointing: bool = False
    """Recompute activations in the backward pass."""
    num_threads: int = Field(default=0, ge=0)
    """CPU threads of one rank; 0 divides the machine's cores by the ranks."""
    timeout_s: float = Field(default=1800.0, gt=0)
    """How long a collective may take before the run fails."""
    lora: LoRAConfig = LoRAConfig()
    """Train low-rank adapters instead of the weights, in whichever stage."""
    optimizer: OptimizerConfig = OptimizerConfig()
    """Stage-3 optimizer; stages 1 and 2 have their own."""
