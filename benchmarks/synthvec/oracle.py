"""What is exactly known about every image: the label distribution, so the Bayes answer and the exact confidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from emocal_rl.benchmarks.synthvec.examples import Example
from emocal_rl.benchmarks.synthvec.scene import Scene
from emocal_rl.platform.errors import DataError

LATENTS = ("face_valence", "context_valence", "arousal", "dominance", "clarity", "hue", "bar")
"""Columns that say what is drawn."""


@dataclass(frozen=True)
class Oracle:
    """The known truth, by sample id. `table` has one row per image.

    Columns: id, split, task, label (as drawn), labels and probabilities (aligned lists), answer (most probable label),
    confidence (its probability), and the latents face_valence, context_valence, arousal, dominance, clarity, hue, bar.
    """

    table: pl.DataFrame

    def distribution(self, sample_id: str) -> dict[str, float]:
        """Return p(label | image) of a sample.

        Raises:
            KeyError: the sample is not of this world.
        """
        return self._distributions[sample_id]

    def probability(self, sample_id: str, answer: str | None) -> float:
        """Return the probability that `answer` is right: 0 for a label outside the task's, or none."""
        return self.distribution(sample_id).get(answer, 0.0) if answer is not None else 0.0

    def bayes_answer(self, sample_id: str) -> tuple[str, float]:
        """Return the most probable label and the exact confidence in it."""
        return max(self.distribution(sample_id).items(), key=lambda item: item[1])

    def scene(self, sample_id: str) -> Scene:
        """Return what a sample's image shows; where exactly in the image is not recorded, so `offset` is (0, 0).

        Raises:
            KeyError: the sample is not of this world.
        """
        return Scene(**self._latents[sample_id], offset=(0, 0))

    @cached_property
    def _latents(self) -> Mapping[str, dict[str, Any]]:
        return {row.pop("id"): row for row in self.table.select("id", *LATENTS).iter_rows(named=True)}

    @cached_property
    def _distributions(self) -> Mapping[str, dict[str, float]]:
        columns = self.table.select("id", "labels", "probabilities").iter_rows()
        return {row_id: dict(zip(labels, values, strict=True)) for row_id, labels, values in columns}


def load_oracle(directory: Path) -> Oracle:
    """Read the oracle of the world in `directory`.

    Raises:
        DataError: there is no world.
    """
    path = directory / "oracle.parquet"
    try:
        return Oracle(pl.read_parquet(path))
    except FileNotFoundError as error:
        fix = "Build the world first: emocal-rl synthvec build."
        raise DataError("oracle", str(path), rule="there is no such file", fix=fix) from error


def write_oracle(path: Path, splits: Mapping[str, Sequence[Example]]) -> None:
    """Write the oracle of all splits as Parquet."""
    rows = [_row(split, example) for split, examples in splits.items() for example in examples]
    pl.DataFrame(rows).write_parquet(path)


def _row(split: str, example: Example) -> dict[str, object]:
    best = int(example.distribution.argmax())
    scene = example.scene
    return {
        "id": example.id,
        "split": split,
        "task": example.task.name,
        "label": example.label,
        "labels": list(example.task.labels),
        "probabilities": example.distribution.tolist(),
        "answer": example.task.labels[best],
        "confidence": float(example.distribution[best]),
        **{name: getattr(scene, name) for name in LATENTS},
    }
