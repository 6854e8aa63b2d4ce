from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emocal_rl.platform.contracts import ScoredGroup

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ResponseColumns:
    """The unmasked responses of one step, a column for each fact: (n,) arrays in the order of the groups.

    `confidence` is NaN where there is no valid one; a term that a response lacks is 0.
    """

    sample_id: tuple[str, ...]
    task: tuple[str, ...]
    text: tuple[str, ...]
    correct: FloatArray
    confidence: FloatArray
    well_formed: npt.NDArray[np.bool_]
    total: FloatArray
    terms: dict[str, FloatArray]
    group_sizes: tuple[int, ...]
    """Unmasked responses of each group."""

    @classmethod
    def of(cls, groups: Sequence[ScoredGroup]) -> "ResponseColumns":
        """Lay out scored groups."""
        rows = [
            (group, text, rewarded)
            for group in groups
            for text, rewarded in zip(group.texts, group.rewarded, strict=True)
            if rewarded.masked is None
        ]
        responses = [rewarded for _, _, rewarded in rows]
        names = sorted({name for response in responses for name in response.terms})
        stated = [np.nan if response.confidence is None else response.confidence for response in responses]
        return cls(
            sample_id=tuple(group.sample_id for group, _, _ in rows),
            task=tuple(group.task for group, _, _ in rows),
            text=tuple(text for _, text, _ in rows),
            correct=np.array([response.correct for response in responses], dtype=np.float64),
            confidence=np.array(stated, dtype=np.float64),
            well_formed=np.array([response.well_formed for response in responses], dtype=np.bool_),
            total=np.array([response.total for response in responses], dtype=np.float64),
            terms={name: np.array([response.terms.get(name, 0.0) for response in responses]) for name in names},
            group_sizes=tuple(group.num_unmasked for group in groups),
        )

    def by_group(self, column: FloatArray) -> list[FloatArray]:
        """Cut a column into groups, those of equal size stacked: (groups, size) for each size of at least 2."""
        starts, sizes = np.cumsum((0, *self.group_sizes)), np.array(self.group_sizes, dtype=np.int64)
        return [column[starts[:-1][sizes == size][:, None] + np.arange(size)] for size in np.unique(sizes[sizes >= 2])]
