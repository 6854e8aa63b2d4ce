from collections.abc import Sequence


def synthvec_question(candidates: Sequence[str]) -> str:
    """Return the question that follows every image of the world, in every split.

    Shorter than `platform.prompts.question_text`, because the tiny policy learns the format from its pre-training and
    pays for every prompt token; the candidates stay a Python list, as in VECBench.
    """
    noun = "sentiment" if len(candidates) == 2 else "emotion"
    return f"Which {noun} may this image evoke? Choose one of {list(candidates)}."
