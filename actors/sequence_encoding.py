from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from emocal_rl.actors.families.family import family_of
from emocal_rl.actors.image_processing import ImageProcessingCache
from emocal_rl.actors.sequence_batch import EncodedPrompt, EncodedSequence
from emocal_rl.platform.contracts import RolloutGroup
from emocal_rl.platform.data.images import ImageLimits
from emocal_rl.platform.errors import EngineError


class SequenceEncoder:
    """Turns token ids and image bytes into what a policy takes, images processed once.

    Args:
        processor: the checkpoint's processor.
        limits: caps checked before an image is decoded.
    """

    def __init__(self, processor: Any, limits: ImageLimits) -> None:
        self.processor = processor
        self._family = family_of(type(processor).__name__)
        self._images = ImageProcessingCache(partial(self._family.process, processor), limits)
        self._image_token_id: int = processor.image_token_id

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
        wanted, found = sum(image.num_tokens for image in processed), int((token_ids == self._image_token_id).sum())
        if wanted != found:
            message = (
                f"a prompt has {found} image tokens, its {len(processed)} image(s) make {wanted}: rollout and learner "
                "must use the same image processor settings"
            )
            raise EngineError(message)
        ids = torch.from_numpy(token_ids.astype(np.int64))
        return EncodedPrompt(ids, self._family.position_ids(self.processor, ids, processed), processed)

    def encode_rendered_prompt(self, text: str, images: Sequence[Any]) -> EncodedPrompt:
        """Encode a prompt rendered by the chat template: one placeholder token for each image."""
        processed = self._images.process_all(images)
        runs = iter(processed)
        token_ids: list[int] = []
        for token_id in self.processor.tokenizer(text, add_special_tokens=False)["input_ids"]:
            is_image = token_id == self._image_token_id
            token_ids.extend(self._family.placeholder(self.processor, next(runs)) if is_image else [token_id])
        ids = torch.tensor(token_ids)
        return EncodedPrompt(ids, self._family.position_ids(self.processor, ids, processed), processed)
