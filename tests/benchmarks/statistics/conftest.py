from collections.abc import Callable

import numpy as np
import pytest

from emocal_rl.benchmarks.vecbench.judgement import Judgement
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes, collect
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_task

Make = Callable[..., Outcomes]


@pytest.fixture(scope="session")
def make_outcomes() -> Make:
    """Outcomes of made-up models: sizes by task, every tenth answer or confidence unreadable."""

    def make(seed: int = 0, *, decimals: int = 1, answer_seed: int | None = None, **num_samples: int) -> Outcomes:
        labels, answers = (
            np.random.default_rng(seed),
            np.random.default_rng(seed if answer_seed is None else answer_seed),
        )
        judged = []
        for task, count in (num_samples or {"FI_2": 30, "FI_8": 60, "Abstract_8": 40}).items():
            names = taxonomy_of_task(task.replace("_", "-")).labels
            for _ in range(count):
                label, right = str(labels.choice(names)), answers.random() < 0.6
                answer = label if right else str(answers.choice([*names, ""]))
                confidence = round(float(answers.beta(6 if right else 3, 2)), decimals)
                stated = answers.random() > 0.1
                judged.append(
                    Judgement(
                        task.replace("_", "-"),
                        label,
                        answer or None,
                        confidence if stated else None,
                        None if stated else "missing",
                    )
                )
        return collect(judged)

    return make
