"""Stage 2: verbalised confidence. Label the scaffold model's responses, then train on the confidence (equation 3)."""

from pathlib import Path
from typing import Any

from emocal_rl.actors.starting import start_learner, start_rollouts
from emocal_rl.cluster.placement import Placement
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.emotions.ring_file import read_rings
from emocal_rl.platform.progress import Progress
from emocal_rl.stages import supervised
from emocal_rl.stages.image_feed import ImageFeed
from emocal_rl.stages.labelling import label_responses, sample_scaffold


def run(
    config: Config, placement: Placement, model: Path, data: str, output: Path, progress: Progress
) -> dict[str, Any]:
    """Label the samples in `data` with `model`, train it on the labels; write the cold start to `output`.

    The labelled demonstrations stay beside the model as `demonstrations.jsonl`.
    """
    settings, feed = config.confidence, ImageFeed(config.data)
    samples = list(read_samples(data, config.data.image_root))
    responses = {}
    with start_rollouts(config, placement, model) as rollouts:
        progress.phase("confidence labels", len(samples))
        for index, response in sample_scaffold(rollouts, samples, settings.sampling, feed, seed=config.run.seed):
            responses[index] = response
            progress.advance()
    labelled = label_responses(samples, responses, read_rings(settings.ring))
    total = supervised.num_updates(settings, len(labelled.demonstrations))
    with start_learner(
        config, placement, model, settings.optimizer, total_steps=total,
        freeze_vision=settings.freeze_vision, freeze_projector=settings.freeze_projector,
        scaffold_kl=settings.scaffold_kl,
    ) as learner:  # fmt: skip
        measured = supervised.run(
            "confidence", settings, learner, labelled.demonstrations, feed, progress, seed=config.run.seed
        )
        learner.export_hf(output)
    write_vec_cot(str(output / "demonstrations.jsonl"), labelled.demonstrations)
    return {**measured, "labels": labelled.summary()}
