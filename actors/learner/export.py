import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from emocal_rl.actors.learner.checkpoint import MANIFEST

_COPIED_SUFFIXES = (".json", ".jinja", ".txt", ".model")
_NOT_COPIED = ("config.json", "generation_config.json", "model.safetensors.index.json", MANIFEST)
"""What the model writes itself, and what speaks of the source's own files."""


def write_hf_checkpoint(
    directory: Path, model: Any, weights: Iterable[tuple[str, torch.Tensor]], source_dir: Path
) -> None:
    """Write a Hugging Face checkpoint that loads with plain transformers and plain vLLM.

    Args:
        directory: an existing, empty directory.
        model: the Hugging Face model, for its configuration and weight layout; its parameters may be sharded away.
        weights: (Hugging Face name, full tensor) of every parameter; tied ones once.
        source_dir: the checkpoint training started from: tokenizer and processor files are copied from it unchanged.
    """
    state = {name: tensor.to("cpu", copy=True) for name, tensor in weights}
    model.save_pretrained(directory, state_dict=state)
    for file in sorted(source_dir.iterdir()):
        if file.suffix in _COPIED_SUFFIXES and file.name not in _NOT_COPIED:
            shutil.copyfile(file, directory / file.name)
