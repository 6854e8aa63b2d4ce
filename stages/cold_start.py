"""The tiny policy up to the start of stage 3: pre-training, stage 1, stage 2, built once and kept in the cache."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import emocal_rl
from emocal_rl.benchmarks.synthvec.world import world_key
from emocal_rl.cluster.placement import Placement
from emocal_rl.platform.cache import cache_directory
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.stages import base_policy, confidence, reasoning
from emocal_rl.stages.inputs import synthvec_world

_STAGES = ("base_policy", "pretraining", "reasoning", "confidence", "confidence_label", "labelling", "supervised")
_SOURCES = (
    "actors/*.py",
    "actors/learner/**/*.py",
    "actors/rollout/*.py",
    "benchmarks/synthvec/*.py",
    "platform/responses/*.py",
    "platform/emotions/*.py",
    *(f"stages/{name}.py" for name in _STAGES),
)
"""Code the cold start depends on."""
_PACKAGES = ("torch", "transformers", "deepspeed", "tokenizers")


@dataclass(frozen=True)
class ColdStart:
    """Where the models lie. `model` is the cold start of stage 3."""

    directory: Path

    @property
    def base(self) -> Path:
        """After pre-training: sees attributes, knows the format, answers at chance."""
        return self.directory / "base"

    @property
    def scaffold(self) -> Path:
        """After stage 1: reasons and answers, states no confidence."""
        return self.directory / "reasoning"

    @property
    def model(self) -> Path:
        """After stage 2: states a confidence, and too much of it."""
        return self.directory / "confidence"

    @property
    def record(self) -> Path:
        """Written last: what the stages measured."""
        return self.directory / "cold_start.json"


def cold_start_key(config: Config) -> str:
    """Hash of everything the cold start depends on: world, stage settings, seed, code, and library versions."""
    depends = {
        "world": world_key(config.synthvec),
        "settings": {
            name: getattr(config, name).model_dump() for name in ("model", "pretraining", "reasoning", "confidence")
        },
        "learner": config.learner.model_dump(include={"zero_stage", "micro_batch_tokens"}),
        "seed": config.run.seed,
        "code": _code_hash(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]


def find_cold_start(config: Config) -> ColdStart | None:
    """The cached cold start of this configuration, if it is complete."""
    cold_start = ColdStart(_place(config))
    return cold_start if cold_start.record.exists() else None


def run(config: Config, placement: Placement, progress: Progress) -> ColdStart:
    """Build the cold start: world, vision, language, stage 1, labels, stage 2; or return the cached one."""
    cold_start = ColdStart(_place(config))
    with _exclusive(cold_start.directory):
        if cold_start.record.exists():
            return cold_start
        progress.phase("synthetic world")
        files = synthvec_world(config)
        partial = ColdStart(cold_start.directory.with_suffix(".partial"))
        shutil.rmtree(partial.directory, ignore_errors=True)
        record = {
            "base": base_policy.run(config, placement, files, partial.base, progress),
            "reasoning": reasoning.run(
                config, placement, partial.base, str(files.reasoning), partial.scaffold, progress
            ),
            "confidence": confidence.run(
                config, placement, partial.scaffold, str(files.confidence), partial.model, progress
            ),
        }
        write_text(partial.record, json.dumps(record, indent=2) + "\n")
        partial.directory.rename(cold_start.directory)
    return cold_start


def _place(config: Config) -> Path:
    return cache_directory() / "cold-start" / cold_start_key(config)


@contextmanager
def _exclusive(directory: Path) -> Iterator[None]:
    """Let one process at a time build `directory`; the others wait and then find it there."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(str(os.getpid()))
        yield


def _code_hash() -> str:
    root = Path(emocal_rl.__file__).parent
    digest = hashlib.sha256()
    for pattern in _SOURCES:
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
