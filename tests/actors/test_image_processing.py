import numpy as np
import torch
from PIL import Image

from emocal_rl.actors.image_processing import ImageProcessingCache, ProcessedImage
from emocal_rl.platform.data.images import ImageLimits


class CountingProcessing:
    """Hands out 1 KiB of pixel values and counts."""

    def __init__(self) -> None:
        self.num_calls = 0

    def __call__(self, image: Image.Image) -> ProcessedImage:
        self.num_calls += 1
        return ProcessedImage(
            torch.full((4, 64), float(np.asarray(image).mean())), torch.tensor([1, 2, 2]), 1, (28, 28)
        )


def test_an_image_is_processed_once_until_the_least_recently_used_makes_room(face_image: bytes) -> None:
    processor = CountingProcessing()
    cache = ImageProcessingCache(processor, ImageLimits(), capacity_bytes=2 * 1024)
    # Bytes after the end of a PNG are ignored by the decoder, but they are other bytes.
    first, second, third = (face_image + bytes([number]) for number in range(3))
    image = cache.process(first)
    assert cache.process(first) is image
    cache.process(second), cache.process(first), cache.process(third)
    assert processor.num_calls == 3
    assert cache.process(first) is image
    cache.process(second)
    assert processor.num_calls == 4


def test_images_of_a_sample_keep_their_order(face_image: bytes) -> None:
    cache = ImageProcessingCache(CountingProcessing(), ImageLimits())
    one, two, again = cache.process_all([face_image, face_image + b"x", face_image])
    assert one is again
    assert one is not two
