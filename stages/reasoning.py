"""Stage 1: structured reasoning by imitation of whole responses (paper equation 1)."""

from pathlib import Path

from emocal_rl.actors.starting import start_learner
from emocal_rl.cluster.placement import Placement
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.samples import read_demonstration_samples
from emocal_rl.platform.progress import Progress
from emocal_rl.stages import supervised
from emocal_rl.stages.image_feed import ImageFeed


def run(
    config: Config, placement: Placement, model: Path, data: str, output: Path, progress: Progress
) -> dict[str, float]:
    """Train `model` on the demonstrations in `data`; write the scaffold model to `output`, return what was measured."""
    demonstrations = list(read_demonstration_samples(data, config.data.image_root))
    total = supervised.num_updates(config.reasoning, len(demonstrations))
    with start_learner(
        config, placement, model, config.reasoning.optimizer, total_steps=total,
        freeze_vision=config.reasoning.freeze_vision, freeze_projector=config.reasoning.freeze_projector,
    ) as learner:  # fmt: skip
        measured = supervised.run(
            "reasoning", config.reasoning, learner, demonstrations, ImageFeed(config.data), progress,
            seed=config.run.seed,
        )  # fmt: skip
        learner.export_hf(output)
    return measured
