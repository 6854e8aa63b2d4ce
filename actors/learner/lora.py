"""Low-rank adapters (LoRA) in the language model by the `peft` package, and the weights they stand for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from emocal_rl.platform.config.learner import LoRAConfig
from emocal_rl.platform.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from emocal_rl.actors.policy_model import PolicyModel

_NAME = "default"


@dataclass(frozen=True, slots=True)
class Adapter:
    """What is added to one weight: `scaling * up @ down`, `down` (rank, in), `up` (out, rank)."""

    down: "torch.nn.Parameter"
    up: "torch.nn.Parameter"
    scaling: float

    def merge(self, weight: "torch.Tensor") -> "torch.Tensor":
        """The weight with the adapter in it, added up in float32 and of the weight's type."""
        merged: torch.Tensor = weight.float() + self.scaling * (self.up.float() @ self.down.float())
        return merged.to(weight.dtype)


def check_installed(config: LoRAConfig) -> None:
    """Check that `peft` is there if adapters are wanted.

    Raises:
        ConfigError: it is not; the message names the extra.
    """
    if config.rank and find_spec("peft") is None:
        rule, fix = "the package peft is not installed", "Run: pip install 'emocal-rl[lora]'"
        raise ConfigError("learner.lora.rank", rule=rule, fix=fix)


def add_adapters(policy: "PolicyModel", config: LoRAConfig, *, seed: int) -> None:
    """Put adapters into the language model's linear layers, and freeze everything else; the policy stays as it was.

    Raises:
        ConfigError: `peft` is not installed, or no layer has such a name.
    """
    check_installed(config)
    import torch
    from peft import LoraConfig, inject_adapter_in_model

    names = "|".join(re.escape(name) for name in config.target_modules)
    settings = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=rf".*language_model\..*\.({names})",
    )
    policy.hf.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            inject_adapter_in_model(settings, policy.hf, adapter_name=_NAME)
        except ValueError as error:
            key, rule = "learner.lora.target_modules", "the language model has no linear layer of these names"
            raise ConfigError(key, list(config.target_modules), rule=rule) from error


def find_adapters(model: "torch.nn.Module") -> Mapping[str, Adapter]:
    """The adapters of a model by the name of the parameter they add to; empty where none were added."""
    return {
        f"{name}.base_layer.weight": Adapter(
            module.lora_A[_NAME].weight, module.lora_B[_NAME].weight, module.scaling[_NAME]
        )
        for name, module in model.named_modules()
        if hasattr(module, "lora_A")
    }


def original_name(name: str) -> str | None:
    """The checkpoint's name of a parameter: adapted layers are wrapped; None for an adapter's own parameter."""
    return None if ".lora_" in name else name.replace(".base_layer.", ".")
