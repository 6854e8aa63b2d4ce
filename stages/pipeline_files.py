"""The files of a pipeline's stages: all there, all readable, how many rows each. Imports no engine."""

from emocal_rl.platform.config.pipeline import StageName
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.samples import read_questions, read_samples
from emocal_rl.platform.errors import ConfigError, ConfigErrors
from emocal_rl.platform.progress import Progress
from emocal_rl.stages.demonstrations import read_demonstrations
from emocal_rl.stages.inputs import check_enough, check_images, choose_samples, load_test


def check_files(config: Config) -> None:
    """Refuse a pipeline on files that lacks the file of one of its stages.

    Raises:
        ConfigErrors: naming each of them, or the first stage of SynthVEC that has no model to begin with.
    """
    if config.model.path is None:
        if config.pipeline.first_stage != "reasoning":
            rule = "begins with a model of an earlier stage"
            fix = "Give it (--model) and the files of the stages, or start with reasoning."
            raise ConfigError("pipeline.first_stage", config.pipeline.first_stage, rule=rule, fix=fix)
        return
    missing = [stage for stage, url in config.pipeline.files.items() if url is None]
    if missing:
        raise ConfigErrors(
            ConfigError(f"pipeline.{stage}", rule="is missing", fix=f"Give the stage's file (--{stage}-data).")
            for stage in missing
        )


def check_stage_images(config: Config, progress: Progress) -> None:
    """Open every image of every stage's file once: one that stage 3 lacks should not be found behind stages 1 and 2.

    Raises:
        DataError: naming the first such image's file and line.
    """
    if config.model.path is not None:
        for url in config.pipeline.files.values():
            assert url is not None, "check_files has looked"
            check_images(list(read_samples(url, config.data.image_root)), config, progress)


def count_rows(config: Config) -> dict[StageName, int]:
    """Read every file once and count its rows, by stage; SynthVEC's are counted by its settings.

    Raises:
        DataError: a malformed row, by file and line.
        ConfigError: too few prompts for one step of stage 3.
    """
    world, data = config.synthvec, config.data
    if config.model.path is None:
        counts: dict[StageName, int] = {
            "reasoning": world.num_reasoning,
            "confidence": world.num_confidence,
            "calibration": world.num_calibration,
            "evaluation": len(choose_samples(world.num_test + world.num_test_ood, config)),
        }
    else:
        counts = {}
        for stage, url in config.pipeline.files.items():
            assert url is not None, "check_files has looked"
            if stage == "reasoning":
                counts[stage] = sum(1 for _ in read_demonstrations(url, config.reasoning, data))
            elif stage == "evaluation":
                evaluated = config.model_copy(update={"data": data.model_copy(update={"eval": url})})
                counts[stage] = len(load_test(evaluated))
            else:
                counts[stage] = sum(1 for _ in read_questions(url, data.image_root))
    if "calibration" in counts:
        check_enough(config, counts["calibration"])
    return counts
