import hashlib
import json
from pathlib import Path

from emocal_rl.actors.model_source import local_model
from emocal_rl.platform.config.tree import Config


def model_settings(config: Config) -> dict[str, object]:
    """What responses sampled by rollout workers depend on beside data, sampling and seed, by config key.

    Not `rollout.max_model_len`: one who raises it for a prompt that was too long keeps the other responses.

    Raises:
        ModelError: there is no such model.
    """
    directory = local_model(config.model)
    return {
        "model.path": str(directory or config.model.path),
        "model.revision": config.model.revision,
        "model.path (files)": fingerprint(directory),
        "model.min_pixels": config.model.min_pixels,
        "model.max_pixels": config.model.max_pixels,
        "model.dtype": config.model.dtype,
    }


def fingerprint(model: Path | None) -> str | None:
    """Digest of a checkpoint's file names, sizes and times: weights of many gigabytes are not read for it."""
    if model is None:
        return None
    files = sorted(
        (path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in model.iterdir() if path.is_file()
    )
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()[:16]
