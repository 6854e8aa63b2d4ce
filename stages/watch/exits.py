import zlib
from collections.abc import Collection

import numpy as np

from emocal_rl.stages.watch.response_columns import ResponseColumns

DECOY_CONFIDENCE = 0.1
"""A decoy states less than this."""
_TAIL = 1000
"""Characters at the end of a response in which repetition is looked for: a policy that loops does so to the end."""
_REPETITIVE = 0.25
"""Text that deflates to less of its length repeats itself; reasoning in sentences and tags stays above 0.4."""


def exits(columns: ResponseColumns, known: Collection[str] | None) -> dict[str, float | None]:
    """Ways out of answering honestly, as shares of responses.

    `rollout/format_exit_share`: not well-formed or without a valid confidence. `rollout/repetition_share`: repeating
    itself. Of the responses to prompts that the cold start answered right, `rollout/decoy_share` are wrong with a
    confidence below 0.1 and `rollout/retained_accuracy` are right.

    Args:
        columns: the step's responses.
        known: ids of the samples that the cold start answered right; None if it was not asked.
    """
    if not columns.text:
        names = ("format_exit_share", "repetition_share", "decoy_share", "retained_accuracy")
        return dict.fromkeys(f"rollout/{name}" for name in names)
    is_known = np.array([known is not None and sample_id in known for sample_id in columns.sample_id])
    correct = columns.correct[is_known]
    decoys = (correct == 0) & (columns.confidence[is_known] < DECOY_CONFIDENCE)
    return {
        "rollout/format_exit_share": float(np.mean(~columns.well_formed | np.isnan(columns.confidence))),
        "rollout/repetition_share": float(np.mean([repeats_itself(text) for text in columns.text])),
        "rollout/decoy_share": float(decoys.mean()) if is_known.any() else None,
        "rollout/retained_accuracy": float(correct.mean()) if is_known.any() else None,
    }


def repeats_itself(text: str) -> bool:
    """Whether the end of a text is a loop: it compresses as no written text does. Short texts never do."""
    tail = text[-_TAIL:].encode()
    return len(tail) >= 100 and len(zlib.compress(tail, 1)) < _REPETITIVE * len(tail)
