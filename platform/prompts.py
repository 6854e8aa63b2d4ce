"""What the policy is asked (after the released model card, reworded)."""

from collections.abc import Sequence

from emocal_rl.platform.contracts import REASONING_PARTS
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES, taxonomy_of_candidates


def zero_shot_text(candidates: Sequence[str], *, confidence: bool) -> str:
    """Return a question for a model that was not trained for the task (paper, Tables 2 to 6: its base models).

    The paper prints no prompt of its baselines: the wording is ours. It asks for reasoning in free form, and for the
    tags that every protocol reads.

    Args:
        candidates: the labels to choose from, shown as a Python list.
        confidence: also ask how likely the answer is to be right ("Verb" of Table 5).
    """
    noun = _noun(candidates)
    stated = (
        " Then write in <confidence></confidence> how likely your answer is to be right, as one number from 0 (surely "
        "wrong) to 1 (surely right)."
    )
    return (
        f"Look at the image. Which of these {noun}s is it most likely to evoke in a viewer? {list(candidates)} Reason "
        f"step by step first. End with the chosen {noun}, spelled as in the list and nothing else, in "
        f"<answer></answer>.{stated * confidence}"
    )


def question_text(candidates: Sequence[str], *, confidence: bool) -> str:
    """Return the question that follows the image.

    Args:
        candidates: the labels to choose from, shown as a Python list.
        confidence: also ask how likely the answer is to be right (stages 2 and 3).
    """
    noun = _noun(candidates)
    parts = ", ".join(f"<{part}>" for part in REASONING_PARTS)
    stated = ", then the probability that your answer is right, from 0 to 1, in <confidence></confidence>" * confidence
    return (
        f"Which {noun} may this image evoke in a viewer? Choose one of {list(candidates)}. Think step by step in "
        f"<think></think>, with the parts {parts}, then give your answer in <answer></answer>{stated}."
    )


def _noun(candidates: Sequence[str]) -> str:
    return "sentiment" if taxonomy_of_candidates(candidates) is TAXONOMIES["polarity2"] else "emotion"
