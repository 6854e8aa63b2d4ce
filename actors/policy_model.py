from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from emocal_rl.actors.families.family import family_of
from emocal_rl.actors.model_files import check_model_files
from emocal_rl.actors.rollout import torchvision_shim
from emocal_rl.actors.sequence_batch import SequenceBatch
from emocal_rl.platform.config.model import ModelConfig
from emocal_rl.platform.errors import ModelError

# Logits alive at a time: 2^26 float32 values are 256 MiB, 441 tokens of a 152,064-token vocabulary.
_LOGITS_PER_CHUNK = 2**26


class PolicyModel(nn.Module):
    """A vision-language checkpoint as this project uses it: log-probs of given response tokens, and nothing else.

    The vision tower runs once per distinct image and its features are shared by all rows that show it; the output layer
    runs at response positions only, in chunks, so no (tokens x vocabulary) tensor outlives its chunk.

    Args:
        language_model: the Hugging Face model (`Qwen2_5_VLForConditionalGeneration`, `InternVLFor...`, ...).
    """

    def __init__(self, language_model: Any) -> None:
        super().__init__()
        self.hf = language_model
        self._family = family_of(type(language_model).__name__)

    def forward(
        self,
        batch: SequenceBatch,
        temperature: float = 1.0,
        suppressed_token_ids: Sequence[int] = (),
        *,
        distribution: bool = False,
    ) -> torch.Tensor:
        """Log-probs of the response tokens: (N,) float32, response after response.

        Args:
            batch: B sequences with N response tokens.
            temperature: the sampler's; logits are divided by it.
            suppressed_token_ids: tokens the sampler never draws; they take no probability.
            distribution: return the whole distributions instead, (N, vocabulary). For small vocabularies.
        """
        states = self._predictor_states(batch)
        suppressed = torch.tensor(suppressed_token_ids, device=states.device, dtype=torch.int64)
        if distribution:
            return self._logits(states, temperature, suppressed).log_softmax(-1)
        rows = max(1, _LOGITS_PER_CHUNK // self.hf.config.get_text_config().vocab_size)
        if len(states) <= rows:
            return self._taken_logprobs(states, batch.response_ids, temperature, suppressed)
        parts = [
            checkpoint(self._taken_logprobs, part, ids, temperature, suppressed, use_reentrant=False)
            for part, ids in zip(torch.split(states, rows), torch.split(batch.response_ids, rows), strict=True)
        ]
        return torch.cat(parts)

    def _predictor_states(self, batch: SequenceBatch) -> torch.Tensor:
        """Last hidden states at the positions that predict the response tokens: (N, hidden)."""
        states = self._family.hidden_states(self.hf.model, batch)
        predictors: torch.Tensor = states.flatten(0, 1)[batch.predictor_index]
        return predictors

    def _taken_logprobs(
        self, states: torch.Tensor, token_ids: torch.Tensor, temperature: float, suppressed: torch.Tensor
    ) -> torch.Tensor:
        logits = self._logits(states, temperature, suppressed)
        return logits.gather(-1, token_ids[:, None]).squeeze(-1) - logits.logsumexp(-1)

    def _logits(self, states: torch.Tensor, temperature: float, suppressed: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.hf.lm_head(states).float().index_fill(-1, suppressed, -torch.inf)
        return logits / temperature


def freeze_vision(policy: PolicyModel, *, encoder: bool, projector: bool) -> None:
    """Freeze the vision encoder or the projector from it to the language model, or both (stages 1 and 2)."""
    family = family_of(type(policy.hf).__name__)
    for name, parameter in policy.hf.named_parameters():
        is_projector = family.is_projector(name)
        if is_projector is not None and (projector if is_projector else encoder):
            parameter.requires_grad_(False)


def load_policy(model_dir: str | Path, config: ModelConfig, *, device: torch.device) -> PolicyModel:
    """Load the weights of a checkpoint.

    Raises:
        ModelError: the directory is incomplete, broken, or holds an architecture that is not supported.
    """
    check_model_files(model_dir)
    torchvision_shim.prepare_imports()
    from safetensors import SafetensorError
    from transformers import AutoModelForImageTextToText
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    attention = "sdpa" if config.attention == "auto" else config.attention
    try:
        model, loading = AutoModelForImageTextToText.from_pretrained(
            model_dir,
            dtype=parameter_dtype(config, device),
            attn_implementation=attention,
            trust_remote_code=config.trust_remote_code,
            local_files_only=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise _unloadable(model_dir, "weights", str(error)) from error
    if missing := sorted(loading["missing_keys"]):
        raise _unloadable(model_dir, "weights", f"{len(missing)} parameters are missing, {missing[0]} among them")
    return PolicyModel(model.to(device))


def load_processor(model_dir: str | Path, config: ModelConfig) -> Any:
    """Load tokenizer, chat template and image processor, with the configured pixel limits.

    Raises:
        ModelError: they are missing or broken.
    """
    check_model_files(model_dir)
    torchvision_shim.prepare_imports()
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(
            model_dir, trust_remote_code=config.trust_remote_code, local_files_only=True
        )
    except (OSError, ValueError) as error:
        raise _unloadable(model_dir, "processor", str(error)) from error
    family_of(type(processor).__name__).limit_pixels(processor, config)
    return processor


def parameter_dtype(config: ModelConfig, device: torch.device) -> torch.dtype:
    """Resolve `model.dtype`: auto is float32 on CPU and bfloat16 on GPU."""
    if config.dtype == "auto":
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[config.dtype]


def _unloadable(model_dir: str | Path, part: str, reason: str) -> ModelError:
    return ModelError(
        "model.path",
        str(model_dir),
        rule=f"the checkpoint's {part} cannot be loaded: {reason.splitlines()[0] if reason else 'unknown reason'}",
        fix="Check that the directory is a complete Hugging Face checkpoint.",
    )
