from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from emocal_rl.actors.image_processing import ImageProcessingCache, ProcessedImage
from emocal_rl.actors.sequence_batch import EncodedPrompt, EncodedSequence
from emocal_rl.platform.contracts import RolloutGroup
from emocal_rl.platform.data.images import ImageLimits
from emocal_rl.platform.errors import EngineError


class SequenceEncoder:
    """Turns token ids and image bytes into what a Qwen-VL policy takes, images processed once.

    Args:
        processor: the checkpoint's processor.
        limits: caps checked before an image is decoded.
    """

    def __init__(self, processor: Any, limits: ImageLimits) -> None:
        self.processor = processor
        self._images = ImageProcessingCache(processor.image_processor, limits)
        self._image_token_id: int = processor.image_token_id
        self._merge_size: int = processor.image_processor.merge_size

    def encode_group(self, group: RolloutGroup) -> list[EncodedSequence]:
        """Encode all responses of a group, in order. Its images are bytes; refs are resolved by the worker."""
        prompt = self.encode_prompt(group.prompt_token_ids, group.images)
        return [
            EncodedSequence(prompt, torch.from_numpy(response.token_ids.astype(np.int64)))
            for response in group.responses
        ]

    def encode_prompt(self, token_ids: npt.NDArray[np.integer[Any]], images: Sequence[Any]) -> EncodedPrompt:
        """Encode a prompt whose image placeholders are expanded: (P,) token ids.

        Raises:
            EngineError: the placeholders do not fit the images; rollout and learner process images differently.
        """
        processed = self._images.process_all(images)
        wanted, found = sum(map(self.num_image_tokens, processed)), int((token_ids == self._image_token_id).sum())
        if wanted != found:
            message = (
                f"a prompt has {found} image tokens, its {len(processed)} image(s) make {wanted}: rollout and learner "
                "must use the same image processor settings"
            )
            raise EngineError(message)
        ids = torch.from_numpy(token_ids.astype(np.int64))
        return EncodedPrompt(ids, self._position_ids(ids, processed), processed)

    def encode_rendered_prompt(self, text: str, images: Sequence[Any]) -> EncodedPrompt:
        """Encode a prompt rendered by the chat template: one placeholder token for each image."""
        processed = self._images.process_all(images)
        runs = iter(processed)
        token_ids: list[int] = []
        for token_id in self.processor.tokenizer(text, add_special_tokens=False)["input_ids"]:
            repeats = self.num_image_tokens(next(runs)) if token_id == self._image_token_id else 1
            token_ids.extend([token_id] * repeats)
        ids = torch.tensor(token_ids)
        return EncodedPrompt(ids, self._position_ids(ids, processed), processed)

    def num_image_tokens(self, image: ProcessedImage) -> int:
        """Tokens the image takes in a prompt."""
        return int(image.grid_thw.prod()) // self._merge_size**2

    def image_size(self, image: ProcessedImage) -> tuple[int, int]:
        """Height and width in pixels at which the vision tower sees the image."""
        patch = self.processor.image_processor.patch_size
        return int(image.grid_thw[1]) * patch, int(image.grid_thw[2]) * patch

    def _position_ids(self, token_ids: torch.Tensor, images: Sequence[ProcessedImage]) -> torch.Tensor:
        """Qwen-VL's three-dimensional positions (M-RoPE): (3, P).

        Text counts on in all three coordinates; an image's tokens count rows and columns from where the text stopped,
        and the text goes on after the largest coordinate of the image.
        """
        is_image = token_ids == self._image_token_id
        positions = torch.empty(3, len(token_ids), dtype=torch.int64)
        start = following = 0
        for image in images:
            first = start + int(is_image[start:].int().argmax())
            rows, columns = (int(size) // self._merge_size for size in image.grid_thw[1:])
            positions[:, start:first] = torch.arange(following, following + first - start)
            following += first - start
            start = first + rows * columns
            positions[0, first:start] = following
            positions[1, first:start] = (following + torch.arange(rows)).repeat_interleave(columns)
            positions[2, first:start] = (following + torch.arange(columns)).repeat(rows)
            following += max(rows, columns)
        positions[:, start:] = torch.arange(following, following + len(token_ids) - start)
        return positions
