"""Building the world: deterministic by seed, idempotent, and complete or absent."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

from emocal_rl.benchmarks.synthvec.examples import (
    Example,
    allot_tasks,
    make_example,
    pretraining_demonstration,
    reasoning_demonstration,
    sample_of,
)
from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.benchmarks.synthvec.oracle import write_oracle
from emocal_rl.benchmarks.synthvec.tasks import IN_DOMAIN_TASKS, OUT_OF_DOMAIN_TASKS
from emocal_rl.platform.config.data import SynthVECConfig
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.data.vecbench import write_vecbench
from emocal_rl.platform.errors import DataError

_TRAIN = [(task, task.train_share) for task in IN_DOMAIN_TASKS]
_BROAD = [*_TRAIN, *((task, 0.08) for task in OUT_OF_DOMAIN_TASKS)]
_EVEN = [(task, 1.0) for task in IN_DOMAIN_TASKS]
_SPLITS = {
    "pretrain": _BROAD,  # as real pre-training has seen every style, but was never taught its emotions
    "reasoning": _TRAIN,
    "confidence": _TRAIN,
    "calibration": _TRAIN,
    "validation": _EVEN,
    "test": _EVEN,
    "test_ood": [(task, 1.0) for task in OUT_OF_DOMAIN_TASKS],
}
"""Shares of the tasks by split. A split's place in this order is part of its seed."""


def world_key(config: SynthVECConfig) -> str:
    """Return a hash of everything the world depends on: its configuration and the code that draws and writes it."""
    return hashlib.sha256(f"{config.model_dump_json()}\n{_code_hash()}".encode()).hexdigest()[:16]


def build_world(config: SynthVECConfig, directory: Path) -> SynthVECFiles:
    """Build the world in `directory`, or return at once if that very world is already there.

    An older world in `directory` is replaced. The new one appears by a rename, so an interrupted build leaves nothing
    half done, and of two concurrent builds the first to finish stays.

    Raises:
        DataError: `directory` holds something that is no world.
    """
    files, key = SynthVECFiles(directory), world_key(config)
    if is_built(files, key):
        return files
    if directory.exists() and any(directory.iterdir()) and not files.marker.exists():
        rule = "must be empty or hold a SynthVEC world"
        raise DataError("directory", str(directory), rule=rule, fix="Choose another directory.")
    partial = SynthVECFiles(directory.with_name(f"{directory.name}.partial-{os.getpid()}"))
    shutil.rmtree(partial.directory, ignore_errors=True)
    try:
        _write_world(config, partial)
        partial.marker.write_text(json.dumps({"key": key, "config": config.model_dump()}, indent=2) + "\n")
        if not is_built(files, key):
            shutil.rmtree(directory, ignore_errors=True)
            partial.directory.rename(directory)
    except OSError:
        if not is_built(files, key):  # no other process was quicker
            raise
    finally:
        shutil.rmtree(partial.directory, ignore_errors=True)
    return files


def is_built(files: SynthVECFiles, key: str) -> bool:
    """Whether the world with this key is complete on disk."""
    try:
        return bool(json.loads(files.marker.read_text())["key"] == key)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write_world(config: SynthVECConfig, files: SynthVECFiles) -> None:
    examples = {split: _make_split(config, files, split) for split in _SPLITS}
    write_vec_cot(
        str(files.pretrain),
        (pretraining_demonstration(example, _image(files, example)) for example in examples["pretrain"]),
    )
    write_vec_cot(
        str(files.reasoning),
        (reasoning_demonstration(example, _image(files, example)) for example in examples["reasoning"]),
    )
    for split in ("confidence", "calibration", "validation", "test", "test_ood"):
        samples = (sample_of(example, _image(files, example)) for example in examples[split])
        write_vecbench(str(files.directory / f"{split}.jsonl"), samples)
    write_oracle(files.oracle, examples)


def _make_split(config: SynthVECConfig, files: SynthVECFiles, split: str) -> list[Example]:
    """Make a split's examples and write their images."""
    split_index = list(_SPLITS).index(split)
    count = getattr(config, f"num_{split}")
    tasks = allot_tasks(_SPLITS[split], count, np.random.default_rng([config.seed, split_index]))
    (files.directory / "images" / split).mkdir(parents=True)

    def make(index: int) -> Example:
        rng = np.random.default_rng([config.seed, split_index, index + 1])
        example = make_example(f"{split}-{index:06d}", tasks[index], rng)
        files.image(example.id).write_bytes(example.png)
        return example

    with ThreadPoolExecutor() as pool:  # numpy and zlib release the interpreter lock
        return list(pool.map(make, range(count)))


def _image(files: SynthVECFiles, example: Example) -> str:
    return str(files.image(example.id))


@cache
def _code_hash() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in _code_files())).hexdigest()


def _code_files() -> Iterator[Path]:
    here = Path(__file__).parent
    for name in (
        "emotion_points",
        "tasks",
        "scene",
        "drawing",
        "question",
        "attribute_words",
        "reasoning_text",
        "examples",
        "world",
        "oracle",
    ):
        yield here / f"{name}.py"
    platform = here.parent.parent / "platform"
    for name in (
        "emotions/taxonomy.py",
        "responses/grammar.py",
        "data/vec_cot.py",
        "data/user_text.py",
        "data/vecbench.py",
    ):
        yield platform / name
