from collections.abc import Sequence

from emocal_rl.platform.config.data import DataConfig
from emocal_rl.platform.contracts import RolloutRequest, Sample, SamplingParameters
from emocal_rl.platform.data.images import ImageLimits, load_sample_images


class ImageFeed:
    """Reads samples' images on the driver and hands them to the workers through Ray's object store.

    Args:
        config: URL policy and size caps.
    """

    def __init__(self, config: DataConfig) -> None:
        self._limits = ImageLimits.from_config(config)

    def references(self, sample: Sample) -> tuple[object, ...]:
        """Object refs to the encoded bytes of the sample's images, checked against the limits.

        Raises:
            DataError: an image is missing, too large, or not an image; the message names the sample's file and line.
        """
        import ray

        return tuple(ray.put(data) for data in load_sample_images(sample, self._limits))

    def requests(self, samples: Sequence[Sample], sampling: SamplingParameters) -> list[RolloutRequest]:
        """One rollout request per sample."""
        return [RolloutRequest(sample, self.references(sample), sampling) for sample in samples]
