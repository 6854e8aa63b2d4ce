import numpy as np

from emocal_rl.benchmarks.vecbench.judgement import Judgement
from emocal_rl.benchmarks.vecbench.outcomes import collect, concatenate

ROWS = [
    Judgement("WebEmo-25", "awe", "fear", 0.5, None),
    Judgement("WebEmo-7", "joy", "joy", None, "missing"),
    Judgement("Cats-9", "cat", None, None, "inference_error"),
    Judgement("WebEmo-7", "fear", "fear", 1.0, None),
]


def rows(outcomes):
    names = [*outcomes.names, None]
    problems = [*outcomes.problems, None]
    return [
        Judgement(
            outcomes.tasks[outcomes.task[i]],
            names[outcomes.label[i]],
            names[outcomes.answer[i]],
            None if np.isnan(outcomes.confidence[i]) else float(outcomes.confidence[i]),
            problems[outcomes.problem[i]],
        )
        for i in range(len(outcomes))
    ]


def test_columns_hold_the_judgements():
    outcomes = collect(ROWS)
    assert rows(outcomes) == ROWS
    assert outcomes.correct.tolist() == [False, True, False, True]
    assert outcomes.stated.tolist() == [True, False, False, True]
    assert outcomes.failed.tolist() == [False, False, True, False]
    assert outcomes.num_problems() == {"inference_error": 1, "missing": 1}
    assert outcomes.where(outcomes.stated).num_problems() == {}


def test_parts_of_different_codes_are_joined():
    joined = concatenate([collect(ROWS[:1]), collect(ROWS[1:3]), collect(ROWS[3:] + ROWS[::-1])])
    assert rows(joined) == ROWS + ROWS[::-1]


def test_tasks_are_in_natural_order_and_groups_pool_them():
    outcomes = collect(ROWS)
    assert {task: len(part) for task, part in outcomes.by_task().items()} == {
        "Cats-9": 1, "WebEmo-7": 2, "WebEmo-25": 1
    }  # fmt: skip
    assert list(outcomes.by_task()) == ["Cats-9", "WebEmo-7", "WebEmo-25"]
    assert {group: rows(part) for group, part in outcomes.by_group().items()} == {"ID VER": [*ROWS[:2], ROWS[3]]}
