"""Starting DeepSpeed: the process group, and the engine that holds policy and optimizer."""

import datetime
import logging
import os
from typing import Any

import torch

from emocal_rl.actors.policy_model import PolicyModel
from emocal_rl.platform.config.learner import LearnerConfig, OptimizerConfig


def join_process_group(rank: int, world_size: int, address: str | None, timeout_s: float) -> None:
    """Join the learner ranks' process group: NCCL on GPU, gloo on CPU. A process that has joined one stays in it.

    Args:
        rank: this process's rank.
        world_size: number of ranks.
        address: `host:port` where rank 0 listens; None for a single rank, which needs no port.
        timeout_s: how long a collective may take.
    """
    has_gpu = torch.cuda.is_available()
    os.environ.setdefault("DS_ACCELERATOR", "cuda" if has_gpu else "cpu")
    os.environ["LOCAL_RANK"] = "0"  # Ray shows every rank its own GPU only
    if torch.distributed.is_initialized():
        return
    rendezvous: dict[str, Any] = {"init_method": f"tcp://{address}"}
    if address is None:
        assert world_size == 1
        rendezvous = {"store": torch.distributed.HashStore()}  # type: ignore[attr-defined]
    torch.distributed.init_process_group(
        "nccl" if has_gpu else "gloo",
        rank=rank,
        world_size=world_size,
        timeout=datetime.timedelta(seconds=timeout_s),
        **rendezvous,
    )


def build_engine(policy: PolicyModel, config: LearnerConfig, optimizer_config: OptimizerConfig) -> Any:
    """Wrap the policy in a `deepspeed.DeepSpeedEngine`. Call `join_process_group` first."""
    dtype = next(policy.parameters()).dtype
    import deepspeed

    for name in ("DeepSpeed", "deepspeed"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if not torch.cuda.is_available():
        # Its shared-memory collectives are compiled with g++ at first start (50 s); gloo serves as well.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(verbose=False)
    engine, *_ = deepspeed.initialize(
        model=policy,
        optimizer=_build_optimizer(policy, config, optimizer_config),
        config=_deepspeed_config(config, optimizer_config, dtype),
        dist_init_required=False,
    )
    return engine


def _build_optimizer(policy: PolicyModel, config: LearnerConfig, optimizer: OptimizerConfig) -> torch.optim.Optimizer:
    trained = [parameter for parameter in policy.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": optimizer.weight_decay},
        # Norm scales and biases are not decayed.
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    options: dict[str, Any] = {"lr": optimizer.learning_rate, "betas": optimizer.betas, "eps": optimizer.epsilon}
    if _offloads(config):
        from deepspeed.ops.adam import DeepSpeedCPUAdam

        offloaded: torch.optim.Optimizer = DeepSpeedCPUAdam(groups, adamw_mode=True, **options)
        return offloaded
    return torch.optim.AdamW(groups, fused=True, **options)


def _deepspeed_config(config: LearnerConfig, optimizer: OptimizerConfig, dtype: torch.dtype) -> dict[str, Any]:
    zero: dict[str, Any] = {"stage": config.zero_stage}
    if _offloads(config):
        zero["offload_optimizer"] = {"device": "cpu", "pin_memory": True}
    # A sum in bfloat16 loses every addend below 1/256 of it, and a mini-batch may have dozens of micro-batches. Stage 0
    # knows no other type than the model's; stage 1 would take another optimizer class, with checkpoints of its own.
    sums_in_float32 = dtype != torch.float32 and config.zero_stage >= 2
    return {
        # The learner sets the accumulation boundary itself: micro-batches vary in number and size.
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "gradient_clipping": optimizer.max_grad_norm,
        "zero_optimization": zero,
        "zero_allow_untested_optimizer": True,
        "bf16": {"enabled": dtype == torch.bfloat16},
        "steps_per_print": None,
    } | ({"data_types": {"grad_accum_dtype": "fp32"}} if sums_in_float32 else {})


def _offloads(config: LearnerConfig) -> bool:
    """Without a GPU the optimizer state is in host memory anyway; ZeRO 0 has no sharded state to move."""
    return config.offload_optimizer and config.zero_stage > 0 and torch.cuda.is_available()
