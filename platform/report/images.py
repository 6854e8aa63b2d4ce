from collections.abc import Callable

from emocal_rl.platform.config.data import DataConfig
from emocal_rl.platform.data.images import ImageLimits, load_image_bytes
from emocal_rl.platform.errors import DataError


def image_loader(config: DataConfig) -> Callable[[str], bytes | None]:
    """Return a loader for the report's thumbnails: within the run's image limits, None for what cannot be had."""
    return loader_within(ImageLimits.from_config(config))


def loader_within(limits: ImageLimits) -> Callable[[str], bytes | None]:
    """Return a loader of encoded images that gives None for what cannot be had within `limits`."""

    def load(reference: str) -> bytes | None:
        try:
            return load_image_bytes(reference, limits, root=None)
        except DataError:
            return None

    return load
