from typing import Annotated

from pydantic import Field

from emocal_rl.platform.emotions.ring import ring_distance
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_question
from emocal_rl.rewards.registry import RewardInput, reward


@reward("correctness", worst=0.0)
def correctness(x: RewardInput, *, ring_credit: Annotated[float, Field(ge=0, le=1)] = 0.0) -> float:
    """1 if the answer is the label, else 0 (paper, R_correct), or up to `ring_credit` for a label near it on the ring.

    A wrong answer at ring distance d (in [0, 0.5], as in paper equation 2) earns ring_credit (1 - 2 d); an answer
    outside the taxonomy earns 0. The confidence is still judged by right or wrong.

    Raises:
        DataError: `ring_credit` is set, and the question's labels have no ring.
    """
    if x.correct or not ring_credit or x.parsed.answer is None:
        return float(x.correct)
    taxonomy = taxonomy_of_question(x.sample.task, x.sample.candidates)
    if taxonomy.resolve(x.parsed.answer) is None:
        return 0.0
    return ring_credit * (1.0 - 2.0 * ring_distance(taxonomy, x.parsed.answer, x.sample.label))
