"""One row per response for the run's `samples/`."""

from collections.abc import Sequence
from typing import Any

from emocal_rl.platform.contracts import Sample, ScoredGroup


def sample_rows(step: int, samples: Sequence[Sample], groups: Sequence[ScoredGroup]) -> list[dict[str, Any]]:
    """Lay out every response of a step with its reward terms, advantage and confidence; same order as `samples`."""
    return [
        {
            "step": step,
            "sample_id": sample.id,
            "task": sample.task,
            "image": sample.images[0] if sample.images else "",
            "question": sample.question,
            "label": sample.label,
            "response_index": index,
            "text": group.texts[index],
            "answer": rewarded.answer,
            "confidence": rewarded.confidence,
            "correct": rewarded.correct,
            "well_formed": rewarded.well_formed,
            "finish_reason": group.finish_reasons[index],
            "num_tokens": group.num_tokens[index],
            "weight_version": group.weight_versions[index],
            "reward_total": rewarded.total,
            **{f"reward_{name}": value for name, value in rewarded.terms.items()},
            "advantage": group.advantages[index],
            "confidence_advantage": group.advantages[index] if own is None else own,
            "masked": rewarded.masked,
        }
        for sample, group in zip(samples, groups, strict=True)
        for index, rewarded in enumerate(group.rewarded)
        for own in (group.confidence_advantage(index),)
    ]
