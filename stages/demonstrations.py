"""What a supervised stage trains on when it is a run of its own."""

from collections.abc import Iterator
from dataclasses import replace

from emocal_rl.platform.config.data import DataConfig
from emocal_rl.platform.config.stages import ConfidenceStageConfig, SFTStageConfig
from emocal_rl.platform.contracts import DemonstrationSample
from emocal_rl.platform.data.samples import read_demonstration_samples
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.responses.grammar import confidence_span


def read_demonstrations(url: str, settings: SFTStageConfig, data: DataConfig) -> Iterator[DemonstrationSample]:
    """Yield the demonstrations of a file with the loss masks of the stage.

    A row's own mask stands. Without one stage 1 trains on the whole response (equation 1), and stage 2 on what
    `confidence.loss_on` says: the confidence and the end of the response (equation 3), or the whole response.

    Raises:
        DataError: a malformed row; or one of stage 2 that has neither a mask nor exactly one confidence.
    """
    masks = isinstance(settings, ConfidenceStageConfig) and settings.loss_on == "confidence"
    for demonstration in read_demonstration_samples(url, data.image_root):
        if not masks or demonstration.loss_spans is not None:
            yield demonstration
            continue
        span = confidence_span(demonstration.response)
        if span is None:
            sample = demonstration.sample
            raise DataError(
                f"{sample.source}:{sample.line} response",
                demonstration.response,
                rule="stage 2 trains on the confidence: needs exactly one <confidence>...</confidence>",
                fix="Label the file with `emocal-rl label`, or set confidence.loss_on=response.",
            )
        yield replace(demonstration, loss_spans=(span,))
