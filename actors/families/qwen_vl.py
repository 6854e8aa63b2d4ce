from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL import Image

from emocal_rl.actors.image_processing import ProcessedImage
from emocal_rl.actors.sequence_batch import SequenceBatch
from emocal_rl.platform.config.model import ModelConfig


class QwenVL:
    """Qwen2-VL, Qwen2.5-VL and Qwen3-VL: images of any size in patches, three-dimensional positions."""

    def limit_pixels(self, processor: Any, config: ModelConfig) -> None:
        """Set the processor's own limits, which are counts of pixels in spite of their names."""
        size = processor.image_processor.size
        processor.image_processor.size = {
            "shortest_edge": config.min_pixels or size["shortest_edge"],
            "longest_edge": config.max_pixels or size["longest_edge"],
        }

    def engine_options(self, processor: Any) -> dict[str, Any]:
        """See `ModelFamily`."""
        size = processor.image_processor.size
        return {"size": {edge: size[edge] for edge in ("shortest_edge", "longest_edge")}}

    def process(self, processor: Any, image: Image.Image) -> ProcessedImage:
        """See `ModelFamily`."""
        features = processor.image_processor(images=[image], return_tensors="pt")
        grid, patch = features["image_grid_thw"][0], processor.image_processor.patch_size
        return ProcessedImage(
            features["pixel_values"],
            grid,
            num_tokens=int(grid.prod()) // processor.image_processor.merge_size**2,
            size=(int(grid[1]) * patch, int(grid[2]) * patch),
        )

    def engine_image_size(self, processor: Any, processed: Mapping[str, Any], num_tokens: int) -> tuple[int, int]:  # noqa: ARG002
        """See `ModelFamily`."""
        _, rows, columns = processed["image_grid_thw"].tolist()
        patch = processor.image_processor.patch_size
        return rows * patch, columns * patch

    def placeholder(self, processor: Any, image: ProcessedImage) -> list[int]:
        """See `ModelFamily`; the template has the tokens around it."""
        return [processor.image_token_id] * image.num_tokens

    def position_ids(self, processor: Any, token_ids: torch.Tensor, images: Sequence[ProcessedImage]) -> torch.Tensor:
        """Qwen-VL's three-dimensional positions (M-RoPE): (3, P).

        Text counts on in all three coordinates; an image's tokens count rows and columns from where the text stopped,
        and the text goes on after the largest coordinate of the image.
        """
        is_image, merge_size = token_ids == processor.image_token_id, processor.image_processor.merge_size
        positions = torch.empty(3, len(token_ids), dtype=torch.int64)
        start = following = 0
        for image in images:
            first = start + int(is_image[start:].int().argmax())
            rows, columns = (int(size) // merge_size for size in image.grid_thw[1:])
            positions[:, start:first] = torch.arange(following, following + first - start)
            following += first - start
            start = first + rows * columns
            positions[0, first:start] = following
            positions[1, first:start] = (following + torch.arange(rows)).repeat_interleave(columns)
            positions[2, first:start] = (following + torch.arange(columns)).repeat(rows)
            following += max(rows, columns)
        positions[:, start:] = torch.arange(following, following + len(token_ids) - start)
        return positions

    def hidden_states(self, model: Any, batch: SequenceBatch) -> torch.Tensor:
        """See `ModelFamily`. Qwen3-VL adds features of inner vision layers to the first language layers."""
        encoded_images = None
        if batch.pixel_values is not None:
            outputs = model.get_image_features(batch.pixel_values, batch.image_grid_thw)
            outputs.pooler_output = (_shown(outputs.pooler_output, batch),)
            if hasattr(outputs, "deepstack_features"):
                outputs.deepstack_features = [(_shown(features, batch),) for features in outputs.deepstack_features]
            encoded_images = {"image": outputs}
        states: torch.Tensor = model(
            input_ids=batch.input_ids,
            position_ids=batch.position_ids,
            mm_encoder_outputs=encoded_images,
            use_cache=False,
        ).last_hidden_state
        return states

    def is_projector(self, name: str) -> bool | None:
        """See `ModelFamily`. The projector is the vision tower's `merger`, in Qwen3-VL one for each inner layer too."""
        if ".visual." not in f".{name}":
            return None
        return ".merger." in name or ".deepstack_merger_list." in name


def _shown(features: Sequence[torch.Tensor], batch: SequenceBatch) -> torch.Tensor:
    """The features of every placeholder run, row after row."""
    return torch.cat([features[index] for index in batch.image_index])
