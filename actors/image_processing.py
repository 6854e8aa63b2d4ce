import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from emocal_rl.platform.data.images import ImageLimits, decode_image


@dataclass(frozen=True, slots=True, eq=False)
class ProcessedImage:
    """One image as the vision tower takes it.

    `pixel_values`: (patches, features) float32. `grid_thw`: (3,) int64, patches over time, height and width.
    """

    pixel_values: torch.Tensor
    grid_thw: torch.Tensor


class ImageProcessingCache:
    """Decodes and processes each image once: least recently used by content, bounded in bytes of pixel values.

    Args:
        image_processor: the checkpoint's own Hugging Face image processor.
        limits: caps checked before an image is decoded.
        capacity_bytes: pixel values kept.
    """

    def __init__(self, image_processor: Any, limits: ImageLimits, capacity_bytes: int = 256 * 2**20) -> None:
        self._image_processor, self._limits = image_processor, limits
        self._capacity_bytes = capacity_bytes
        self._num_bytes = 0
        self._images: OrderedDict[bytes, ProcessedImage] = OrderedDict()

    def process(self, encoded: bytes) -> ProcessedImage:
        """Process one encoded image file (PNG, JPEG, ...)."""
        digest = hashlib.blake2b(encoded, digest_size=16).digest()
        if digest in self._images:
            self._images.move_to_end(digest)
            return self._images[digest]
        image = self._run(encoded)
        self._images[digest] = image
        self._num_bytes += image.pixel_values.nbytes
        while self._num_bytes > self._capacity_bytes:
            _, oldest = self._images.popitem(last=False)
            self._num_bytes -= oldest.pixel_values.nbytes
        return image

    def process_all(self, encoded_images: Sequence[Any]) -> tuple[ProcessedImage, ...]:
        """Process the images of one sample, in order."""
        return tuple(self.process(encoded) for encoded in encoded_images)

    def _run(self, encoded: bytes) -> ProcessedImage:
        features = self._image_processor(images=[decode_image(encoded, self._limits)], return_tensors="pt")
        return ProcessedImage(features["pixel_values"], features["image_grid_thw"][0])
