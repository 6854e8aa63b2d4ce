"""What the vision tower of the tiny policy learns to see before anyone asks about emotions."""

import numpy as np
import numpy.typing as npt
import polars as pl

from emocal_rl.benchmarks.synthvec.files import SynthVECFiles

ATTRIBUTES = ("face_valence", "context_valence", "arousal", "dominance", "clarity", "top", "right", "bottom", "left")
"""Columns of the targets: what the label depends on, and the side of the border bar, which it does not."""


def attribute_targets(files: SynthVECFiles) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Return the ids of the pre-training images and their attributes, (num_images, len(ATTRIBUTES)) in [0, 1]."""
    table = pl.read_parquet(files.oracle).filter(pl.col("split") == "pretrain")
    latents = table.select("face_valence", "context_valence", "arousal", "dominance", pl.col("clarity") / 2).to_numpy()
    sides = np.eye(4)[table["bar"].to_numpy()]
    return table["id"].to_list(), np.hstack([latents, sides]).astype(np.float32)
