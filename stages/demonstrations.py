"""What a supervised stage works on when it is a run of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from emocal_rl.actors.model_source import local_model
from emocal_rl.platform.config.data import DataConfig
from emocal_rl.platform.config.stages import ConfidenceStageConfig, SFTStageConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import DemonstrationSample
from emocal_rl.platform.data.samples import read_demonstration_samples
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.responses.grammar import confidence_span
from emocal_rl.stages.inputs import check_images


@dataclass(frozen=True)
class SFTInputs:
    """Demonstrations to train on, and those for the evaluation loss (none without `data.eval`)."""

    demonstrations: tuple[DemonstrationSample, ...]
    held_out: tuple[DemonstrationSample, ...]


def read_inputs(config: Config, settings: SFTStageConfig) -> SFTInputs:
    """Read `data.train` and `data.eval`; errors as in `read_demonstrations`."""
    train, held_out = (
        tuple(read_demonstrations(url, settings, config.data)) if url else ()
        for url in (config.data.train, config.data.eval)
    )
    return SFTInputs(train, held_out)


def check_inputs(config: Config, settings: SFTStageConfig, progress: Progress) -> SFTInputs:
    """Find what is wrong before a run begins: its model, its rows, every one of its images.

    Raises:
        ModelError: the checkpoint lacks something.
        DataError: a malformed row, or an image that cannot be used.
    """
    local_model(config.model)
    progress.phase("data")
    inputs = read_inputs(config, settings)
    check_images([each.sample for each in (*inputs.demonstrations, *inputs.held_out)], config, progress)
    return inputs


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
