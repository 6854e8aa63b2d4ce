from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from emocal_rl.actors.image_processing import ProcessedImage


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """A prompt ready for the model, shared by all responses to it.

    `token_ids`: (P,) int64, image placeholders expanded. `position_ids`: (3, P) int64, temporal, height, width.
    `images`: in the order of their placeholders.
    """

    token_ids: torch.Tensor
    position_ids: torch.Tensor
    images: tuple[ProcessedImage, ...]


@dataclass(frozen=True, slots=True)
class EncodedSequence:
    """One prompt and one response to it, (T,) int64 with T >= 1."""

    prompt: EncodedPrompt
    response_ids: torch.Tensor

    @property
    def num_tokens(self) -> int:
        """Tokens of prompt and response."""
        return len(self.prompt.token_ids) + len(self.response_ids)


@dataclass(frozen=True, slots=True)
class SequenceBatch:
    """B sequences as tensors: right-padded, responses flattened to N tokens, every image once.

    Padding stands to the right of causal attention, so no real token sees it and no mask is needed.

    `input_ids`: (B, L). `position_ids`: (3, B, L). `lengths`: (B,) response lengths, sum N.
    `predictor_index`: (N,) flat index into B * L of the position that predicts each response token.
    `response_ids`: (N,). `pixel_values`: (patches, features) of the distinct images; `image_grid_thw`: (images, 3);
    `image_index`: for each placeholder run, row after row, which image it shows.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    lengths: torch.Tensor
    predictor_index: torch.Tensor
    response_ids: torch.Tensor
    pixel_values: torch.Tensor | None
    image_grid_thw: torch.Tensor | None
    image_index: tuple[int, ...]

    def to(self, device: torch.device) -> "SequenceBatch":
        """The same batch on another device."""
        tensors: dict[str, Any] = {
            name: value.to(device, non_blocking=True)
            for name in self.__slots__
            if isinstance(value := getattr(self, name), torch.Tensor)
        }
        return replace(self, **tensors)

    def split(self, values: torch.Tensor) -> list[npt.NDArray[np.float32]]:
        """Cut (N,) per-token values into one array per response."""
        parts = torch.split(values.detach().float().cpu(), self.lengths.tolist())
        return [part.numpy() for part in parts]


def collate(sequences: Sequence[EncodedSequence]) -> SequenceBatch:
    """Build the batch of some sequences. An image that several of them share is carried once."""
    width = max(sequence.num_tokens for sequence in sequences)
    input_ids = torch.zeros(len(sequences), width, dtype=torch.int64)
    position_ids = torch.zeros(3, len(sequences), width, dtype=torch.int64)
    predictors: list[torch.Tensor] = []
    images: dict[int, ProcessedImage] = {}
    image_index: list[int] = []
    order: dict[int, int] = {}
    for row, sequence in enumerate(sequences):
        prompt, response = sequence.prompt, sequence.response_ids
        start, end = len(prompt.token_ids), sequence.num_tokens
        input_ids[row, :start] = prompt.token_ids
        input_ids[row, start:end] = response
        position_ids[:, row, :start] = prompt.position_ids
        # After the last image, all three coordinates count tokens from the largest one used so far.
        first = int(prompt.position_ids.max()) + 1
        position_ids[:, row, start:end] = torch.arange(first, first + len(response))
        predictors.append(torch.arange(start - 1, end - 1) + row * width)
        for image in prompt.images:
            image_index.append(order.setdefault(id(image), len(order)))
            images[id(image)] = image
    distinct = list(images.values())
    return SequenceBatch(
        input_ids=input_ids,
        position_ids=position_ids,
        lengths=torch.tensor([len(sequence.response_ids) for sequence in sequences]),
        predictor_index=torch.cat(predictors),
        response_ids=torch.cat([sequence.response_ids for sequence in sequences]),
        pixel_values=torch.cat([image.pixel_values for image in distinct]) if distinct else None,
        image_grid_thw=torch.stack([image.grid_thw for image in distinct]) if distinct else None,
        image_index=tuple(image_index),
    )
