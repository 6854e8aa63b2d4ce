import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from emocal_rl.platform.data.images import ImageLimits, decode_image


@dataclass(frozen=True, slots=True, eq=False)
class ProcessedImage:
    """One image as the vision tower takes it.

    `pixel_values`: float32, (patches, features) or (tiles, 3, height, width). `grid_thw`: (3,) int64, patches over
    time, height and width, or what the model's family has in its place. `num_tokens`: in a prompt, markers around them
    not counted. `size`: (height, width) in pixels after scaling; tiles are counted below each other.
    """

    pixel_values: torch.Tensor
    grid_thw: torch.Tensor
    num_tokens: int
    size: tuple[int, int]


class ImageProcessingCache:
    """Decodes and processes each image once: least recently used by content, bounded in bytes of pixel values.

    Args:
        process: scales, cuts and normalises a decoded image.
        limits: caps checked before an image is decoded.
        capacity_bytes: pixel values kept.
    """

    def __init__(
        self, process: Callable[[Image.Image], ProcessedImage], limits: ImageLimits, capacity_bytes: int = 256 * 2**20
    ) -> None:
        self._process, self._limits = process, limits
        self._capacity_bytes = capacity_bytes
        self._num_bytes = 0
        self._images: OrderedDict[bytes, ProcessedImage] = OrderedDict()

    def process(self, encoded: bytes) -> ProcessedImage:
        """Process one encoded image file (PNG, JPEG, ...)."""
        digest = hashlib.blake2b(encoded, digest_size=16).digest()
        if digest in self._images:
            self._images.move_to_end(digest)
            return self._images[digest]
        image = self._process(decode_image(encoded, self._limits))
        self._images[digest] = image
        self._num_bytes += image.pixel_values.nbytes
        while self._num_bytes > self._capacity_bytes:
            _, oldest = self._images.popitem(last=False)
            self._num_bytes -= oldest.pixel_values.nbytes
        return image

    def process_all(self, encoded_images: Sequence[Any]) -> tuple[ProcessedImage, ...]:
        """Process the images of one sample, in order."""
        return tuple(self.process(encoded) for encoded in encoded_images)
