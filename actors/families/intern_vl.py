from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL import Image

from emocal_rl.actors.image_processing import ProcessedImage
from emocal_rl.actors.sequence_batch import SequenceBatch
from emocal_rl.platform.config.model import ModelConfig


class InternVL:
    """InternVL as transformers has it: an image is cut into square tiles of one size, with a thumbnail of the whole."""

    def limit_pixels(self, processor: Any, config: ModelConfig) -> None:
        """Limit the tiles an image is cut into, at least one; the thumbnail that several tiles get comes on top."""
        size = processor.image_processor.size
        tile = size["height"] * size["width"]
        if config.min_pixels:
            processor.image_processor.min_patches = max(1, config.min_pixels // tile)
        if config.max_pixels:
            processor.image_processor.max_patches = max(1, config.max_pixels // tile)

    def engine_options(self, processor: Any) -> dict[str, Any]:
        """See `ModelFamily`."""
        return _cutting(processor)

    def process(self, processor: Any, image: Image.Image) -> ProcessedImage:
        """See `ModelFamily`. `grid_thw` holds the number of tiles and a tile's height and width in pixels."""
        tiles = processor.image_processor(images=[image], return_tensors="pt", **_cutting(processor))["pixel_values"]
        count, _, height, width = tiles.shape
        return ProcessedImage(
            tiles,
            torch.tensor([count, height, width]),
            num_tokens=count * processor.image_seq_length,
            size=(count * height, width),
        )

    def engine_image_size(self, processor: Any, processed: Mapping[str, Any], num_tokens: int) -> tuple[int, int]:  # noqa: ARG002
        """See `ModelFamily`."""
        size = processor.image_processor.size
        return num_tokens // processor.image_seq_length * size["height"], size["width"]

    def placeholder(self, processor: Any, image: ProcessedImage) -> list[int]:
        """See `ModelFamily`; the tokens around it are not the template's."""
        tokens = [processor.image_token_id] * image.num_tokens
        return [processor.start_image_token_id, *tokens, processor.end_image_token_id]

    def position_ids(self, processor: Any, token_ids: torch.Tensor, images: Sequence[ProcessedImage]) -> torch.Tensor:  # noqa: ARG002
        """Tokens count on, whatever they stand for."""
        return torch.arange(len(token_ids)).expand(3, -1)

    def hidden_states(self, model: Any, batch: SequenceBatch) -> torch.Tensor:
        """See `ModelFamily`. Padding is on the right, so positions need not be given."""
        encoded_images = None
        if batch.pixel_values is not None:
            assert batch.image_grid_thw is not None
            outputs = model.get_image_features(batch.pixel_values)
            of_images = torch.split(outputs.pooler_output, batch.image_grid_thw[:, 0].tolist())
            outputs.pooler_output = torch.cat([of_images[index] for index in batch.image_index])
            encoded_images = {"image": outputs}
        states: torch.Tensor = model(
            input_ids=batch.input_ids, mm_encoder_outputs=encoded_images, use_cache=False
        ).last_hidden_state
        return states

    def is_projector(self, name: str) -> bool | None:
        """See `ModelFamily`."""
        if ".multi_modal_projector." in f".{name}":
            return True
        return False if ".vision_tower." in f".{name}" else None


def _cutting(processor: Any) -> dict[str, Any]:
    settings = processor.image_processor
    return {
        "crop_to_patches": True,  # as the processor's own call has it; the bare image processor would not
        "min_patches": settings.min_patches,
        "max_patches": settings.max_patches,
    }
