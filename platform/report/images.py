from collections.abc import Callable

from emocal_rl.platform.config.data import DataConfig
from emocal_rl.platform.data.images import ImageLimits, load_image_bytes
from emocal_rl.platform.errors import DataError


def image_loader(config: DataConfig) -> Callable[[str], bytes | None]:
    """Return a loader for the report's thumbnails: within the run's image limits, None for what cannot be had."""
    limits = ImageLimits.from_config(config)

    def load(reference: str) -> bytes | None:
        try:
            return load_image_bytes(reference, limits, root=None)
        except DataError:
            return None

    return load
