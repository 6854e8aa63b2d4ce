from collections.abc import Iterator

import numpy as np

from emocal_rl.benchmarks.synthvec.examples import unrelated_response
from emocal_rl.benchmarks.synthvec.question import synthvec_question
from emocal_rl.benchmarks.synthvec.tasks import TASKS

_NUM_RESPONSES_PER_TASK = 400


def vocabulary_texts() -> Iterator[str]:
    """Yield text that holds every word of the world: its questions, and responses to each task.

    The tokenizer is trained on this rather than on a split, so that worlds of every size and seed share one vocabulary.
    """
    rng = np.random.default_rng(0)
    for task in TASKS.values():
        for _ in range(_NUM_RESPONSES_PER_TASK):
            yield synthvec_question(task.labels)
            yield unrelated_response(task, rng)
