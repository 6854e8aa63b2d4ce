"""What a run works on: prompts, validation and test samples, and the known truth where there is one."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import fsspec
import numpy as np

from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.benchmarks.synthvec.oracle import Oracle, load_oracle
from emocal_rl.benchmarks.synthvec.world import build_world, is_built, world_key
from emocal_rl.platform.cache import cache_directory
from emocal_rl.platform.config.data import SynthVECConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.images import ImageLimits, load_sample_images
from emocal_rl.platform.data.parallel import map_ahead
from emocal_rl.platform.data.samples import read_questions, read_samples
from emocal_rl.platform.errors import ConfigError, DataError, RunError
from emocal_rl.platform.progress import Progress


@dataclass(frozen=True)
class Inputs:
    """Samples by purpose. `hashes` name the files they came from."""

    prompts: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    test: tuple[Sample, ...]
    oracle: Oracle | None
    hashes: dict[str, str]


def synthvec_world(config: Config) -> SynthVECFiles:
    """The world of `config.synthvec`, built in the cache unless it is there."""
    return build_world(config.synthvec, _place_of_world(config.synthvec).directory)


@dataclass(frozen=True)
class InputSizes:
    """How much a run works on, and one of its prompts."""

    num_prompts: int
    num_validation: int
    num_test: int
    example: Sample


def measure_inputs(config: Config) -> InputSizes:
    """What `load_inputs` will bring; a world that is not built yet is measured by its settings and a small preview.

    Raises:
        DataError: a malformed row, by file and line.
        ConfigError: too few prompts for one step.
    """
    world = config.synthvec
    if config.data.train is None and not is_built(_place_of_world(world), world_key(world)):
        (prompt, *_) = read_samples(str(_preview(world).calibration))
        num_test = len(choose_samples(world.num_test + world.num_test_ood, config))
        inputs = InputSizes(world.num_calibration, world.num_validation, num_test, prompt)
    else:
        read = load_inputs(config)
        inputs = InputSizes(len(read.prompts), len(read.validation), len(read.test), read.prompts[0])
    check_enough(config, inputs.num_prompts)
    return inputs


def load_inputs(config: Config) -> Inputs:
    """Read the run's data: SynthVEC, or `data.train` with `data.eval` or a seeded hold-out.

    Raises:
        DataError: a malformed row, or one of more images than `rollout.max_images`, by file and line.
        ConfigError: too few prompts for one step.
    """
    inputs = _read_files(config, config.data.train) if config.data.train else _read_synthvec(config)
    check_enough(config, len(inputs.prompts))
    check_num_images([*inputs.prompts, *inputs.test], config)
    return inputs


def check_inputs(config: Config, progress: Progress) -> None:
    """Find what is wrong with a user's own files before a run begins: their rows, every one of their images.

    Raises:
        DataError: naming the first such row, or the first such image's file and line.
        ConfigError: too few prompts for one step.
    """
    if config.data.train:
        inputs = load_inputs(config)
        check_images([*inputs.prompts, *inputs.validation], config, progress)


def load_test(config: Config) -> tuple[Sample, ...]:
    """Read `data.eval`, or the subset of it that `evaluation.max_samples` asks for.

    Raises:
        DataError: a malformed row, by file and line.
    """
    assert config.data.eval is not None
    return _subset(list(read_questions(config.data.eval, config.data.image_root)), config)


def check_images(samples: Sequence[Sample], config: Config, progress: Progress | None = None) -> None:
    """Open every image once, so that a missing or oversized one is found now and not hours into the run.

    Raises:
        DataError: naming the first such image's file and line.
    """
    limits = ImageLimits.from_config(config.data)
    if progress is not None:
        progress.phase("images", len(samples))
    for _ in map_ahead(lambda sample: len(load_sample_images(sample, limits)), samples):
        if progress is not None:
            progress.advance()


def check_num_images(samples: Sequence[Sample], config: Config) -> None:
    """Refuse a question of more images than the engines take.

    Raises:
        DataError: naming the first such row's file and line, and the number that would do for all.
    """
    limit, most = config.rollout.max_images, max((len(sample.images) for sample in samples), default=0)
    for sample in samples if most > limit else ():
        if len(sample.images) > limit:
            rule = f"the row has {len(sample.images)} images, and rollout.max_images is {limit}"
            fix = f"Add --set rollout.max_images={most}, or drop the row."
            raise DataError(f"{sample.source}:{sample.line} images", rule=rule, fix=fix)


def _place_of_world(world: SynthVECConfig) -> SynthVECFiles:
    return SynthVECFiles(cache_directory() / "synthvec" / world_key(world))


def _preview(world: SynthVECConfig) -> SynthVECFiles:
    """A world of the same seed and the smallest size, built in a moment."""
    smallest = {"num_pretrain": 32, "num_reasoning": 32, "num_confidence": 32, "num_calibration": 16}
    smallest |= {"num_validation": 9, "num_test": 9, "num_test_ood": 0}
    small = world.model_copy(update=smallest)
    return build_world(small, _place_of_world(small).directory)


def check_enough(config: Config, num_prompts: int) -> None:
    """Refuse a stage 3 that has fewer prompts than one step takes."""
    if num_prompts < config.calibration.prompts_per_step:
        raise ConfigError(
            "calibration.prompts_per_step",
            config.calibration.prompts_per_step,
            rule=f"must not exceed the number of training prompts, {num_prompts}",
            fix="Lower it (and calibration.num_mini_batches with it), or train on more data",
        )


def _read_synthvec(config: Config) -> Inputs:
    files = synthvec_world(config)
    test = [
        *read_samples(str(files.test)),
        *(read_samples(str(files.test_ood)) if config.synthvec.num_test_ood else ()),
    ]
    return Inputs(
        tuple(read_samples(str(files.calibration))),
        tuple(read_samples(str(files.validation))),
        _subset(test, config),
        load_oracle(files.directory),
        {"synthvec": files.directory.name},
    )


def _read_files(config: Config, train: str) -> Inputs:
    files, samples = {"data.train": train}, list(read_questions(train, config.data.image_root))
    if config.data.eval:
        test = load_test(config)
        files["data.eval"] = config.data.eval
    else:
        order = np.random.default_rng(config.run.seed).permutation(len(samples))
        num_held_out = max(1, round(config.data.holdout_fraction * len(samples)))
        held_out = [samples[index] for index in sorted(order[:num_held_out])]
        samples = [samples[index] for index in sorted(order[num_held_out:])]
        test = _subset(held_out, config)
    return Inputs(tuple(samples), test, test, None, hash_inputs(files, {}))


def _subset(samples: Sequence[Sample], config: Config) -> tuple[Sample, ...]:
    return tuple(samples[index] for index in choose_samples(len(samples), config))


def choose_samples(num_samples: int, config: Config) -> list[int]:
    """Return the indices, ascending, of the seeded subset that `evaluation.max_samples` asks for."""
    limit = config.evaluation.max_samples
    if limit is None or limit >= num_samples:
        return list(range(num_samples))
    chosen = np.random.default_rng(config.run.seed).choice(num_samples, limit, replace=False)
    return sorted(chosen.tolist())


def hash_inputs(files: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of every file, by name; `known` are those of an earlier attempt.

    Raises:
        RunError: a file has changed since.
    """
    hashes = {name: hash_file(url) for name, url in files.items()}
    refuse_changed(hashes, known, files)
    return hashes


def refuse_changed(hashes: Mapping[str, str], known: Mapping[str, str], places: Mapping[str, str | None]) -> None:
    """Compare hashes of what a run depends on, by name, with those of an earlier attempt; `places` are for the message.

    Raises:
        RunError: one is another.
    """
    for name, digest in hashes.items():
        if known.get(name, digest) != digest:
            rule = "has changed since the run began, and would make this another run"
            fix = "Restore it, or begin another run: without --resume, or with --new where a command resumes by itself."
            raise RunError(name, places.get(name), rule=rule, fix=fix)


def hash_file(url: str) -> str:
    """SHA-256 of a file's content.

    Raises:
        DataError: it is not there.
    """
    try:
        with fsspec.open(url, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise DataError(url, rule="there is no such file", fix="Check the path.") from error
