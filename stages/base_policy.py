"""What stands for pre-training: an untrained tiny policy, eyes that see attributes, a tongue that knows the format."""

from collections.abc import Iterator
from pathlib import Path

from emocal_rl.actors.starting import start_learner
from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.benchmarks.synthvec.policy import create_tiny_policy
from emocal_rl.benchmarks.synthvec.vocabulary import vocabulary_texts
from emocal_rl.cluster.placement import Placement
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.vec_cot import read_vec_cot
from emocal_rl.platform.progress import Progress
from emocal_rl.stages import supervised
from emocal_rl.stages.image_feed import ImageFeed


def run(
    config: Config, placement: Placement, files: SynthVECFiles, output: Path, progress: Progress
) -> dict[str, float]:
    """Make the base policy of the synthetic world in `output`; return what was measured."""
    import ray

    settings = config.pretraining
    seeing = output.with_name("vision")
    progress.phase("vision pre-training", settings.vision_epochs)
    making = ray.remote(_make_seeing_policy).options(num_returns="streaming", **placement.actor_options("learner"))
    errors: dict[str, float] = {}
    for epoch in making.remote(config, seeing, files):
        errors = ray.get(epoch)
        progress.advance()

    demonstrations = list(read_vec_cot(str(files.pretrain)))[: settings.num_language]
    language = settings.language
    total = supervised.num_updates(language, len(demonstrations))
    with start_learner(
        config, placement, seeing, language.optimizer, total_steps=total,
        freeze_vision=language.freeze_vision, freeze_projector=language.freeze_projector,
    ) as learner:  # fmt: skip
        measured = supervised.run(
            "language pre-training", language, learner, demonstrations, ImageFeed(config.data), progress,
            seed=config.run.seed,
        )  # fmt: skip
        learner.export_hf(output)
    return {**measured, **{f"mae/{name}": error for name, error in errors.items()}}


def _make_seeing_policy(config: Config, model_dir: Path, files: SynthVECFiles) -> Iterator[dict[str, float]]:
    """Runs as a Ray task: write an untrained policy to `model_dir` and train its vision tower, told epoch by epoch."""
    import torch

    from emocal_rl.actors.policy_model import load_policy, load_processor
    from emocal_rl.stages.pretraining import pretrain_vision

    create_tiny_policy(model_dir, vocabulary_texts(), seed=config.run.seed)
    settings = config.pretraining
    model = load_policy(model_dir, config.model, device=torch.device("cpu")).hf
    yield from pretrain_vision(
        model,
        load_processor(model_dir, config.model),
        files,
        seed=config.run.seed,
        epochs=settings.vision_epochs,
        learning_rate=settings.vision_learning_rate,
        batch_size=settings.vision_batch_size,
    )
    model.save_pretrained(model_dir)
