from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from PIL import Image

from emocal_rl.actors.image_processing import ProcessedImage
from emocal_rl.actors.sequence_batch import SequenceBatch
from emocal_rl.platform.config.model import ModelConfig


class ModelFamily(Protocol):
    """What differs between families of vision-language models: how an image becomes tokens, and where features go."""

    def limit_pixels(self, processor: Any, config: ModelConfig) -> None:
        """Let the processor scale images to `config.min_pixels` and `config.max_pixels`, where they are set."""

    def engine_options(self, processor: Any) -> dict[str, Any]:
        """The processor's limits as vLLM's `mm_processor_kwargs`."""

    def process(self, processor: Any, image: Image.Image) -> ProcessedImage:
        """Scale, cut and normalise one image."""

    def engine_image_size(self, processor: Any, processed: Mapping[str, Any], num_tokens: int) -> tuple[int, int]:
        """(height, width) in pixels of an image as vLLM has processed it; tiles are counted below each other.

        Args:
            processor: of the checkpoint.
            processed: vLLM's tensors of the image, by name.
            num_tokens: the image's tokens in the prompt, markers around them not counted.
        """

    def placeholder(self, processor: Any, image: ProcessedImage) -> list[int]:
        """The token ids that stand for one image in a prompt, in place of the chat template's single one."""

    def position_ids(self, processor: Any, token_ids: torch.Tensor, images: Sequence[ProcessedImage]) -> torch.Tensor:
        """Positions of a prompt's tokens, (3, P) int64; the same three times where the model has one position."""

    def hidden_states(self, model: Any, batch: SequenceBatch) -> torch.Tensor:
        """Last hidden states, (B, L, hidden); every distinct image goes through the vision tower once."""

    def is_projector(self, name: str) -> bool | None:
        """Whether a parameter is the projector's (else the vision encoder's); None when it is neither's."""


def family_of(name: str) -> ModelFamily:
    """The family of a class of transformers, a model's or a processor's, by its name."""
    from emocal_rl.actors.families.intern_vl import InternVL
    from emocal_rl.actors.families.qwen_vl import QwenVL

    return InternVL() if name.startswith("InternVL") else QwenVL()
