"""What the policy is asked (after the released model card, reworded)."""

from collections.abc import Sequence

from emocal_rl.platform.contracts import REASONING_PARTS
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES, taxonomy_of_candidates

DEFAULT_SYSTEM_PROMPT = "You are a helpful assistant."
"""The system prompt of the released training runs."""


def question_text(candidates: Sequence[str], *, confidence: bool) -> str:
    """Return the question that follows the image.

    Args:
        candidates: the labels to choose from, shown as a Python list.
        confidence: also ask how likely the answer is to be right (stages 2 and 3).
    """
    noun = "sentiment" if taxonomy_of_candidates(candidates) is TAXONOMIES["polarity2"] else "emotion"
    parts = ", ".join(f"<{part}>" for part in REASONING_PARTS)
    stated = ", then the probability that your answer is right, from 0 to 1, in <confidence></confidence>" * confidence
    return (
        f"Which {noun} may this image evoke in a viewer? Choose one of {list(candidates)}. Think step by step in "
        f"<think></think>, with the parts {parts}, then give your answer in <answer></answer>{stated}."
    )
