from collections import Counter

import numpy as np
import pytest

from emocal_rl.benchmarks.synthvec.examples import (
    allot_tasks,
    make_example,
    pretraining_demonstration,
    reasoning_demonstration,
)
from emocal_rl.benchmarks.synthvec.tasks import IN_DOMAIN_TASKS, TASKS
from emocal_rl.platform.responses.grammar import parse_response


def _example(name="SynthWebEmo-7", seed=0):
    return make_example("test-000001", TASKS[name], np.random.default_rng(seed))


@pytest.fixture(scope="module")
def examples():
    return [_example("SynthFI-2", seed) for seed in range(400)]


def test_tasks_are_allotted_by_share():
    shares = [(task, task.train_share) for task in IN_DOMAIN_TASKS]
    allotted = allot_tasks(shares, 1001, np.random.default_rng(0))
    assert len(allotted) == 1001
    counts = Counter(task.name for task in allotted)
    for task, share in shares:
        assert counts[task.name] == pytest.approx(1001 * share, abs=1)
    assert sum(share for _, share in shares) == pytest.approx(1.0)
    assert len({task.name for task in allotted[:40]}) > 3


def test_an_example_is_its_generators():
    once, again = _example(seed=3), _example(seed=3)
    assert (once.png, once.label, once.reasoning) == (again.png, again.label, again.reasoning)
    assert _example(seed=3).png != _example(seed=4).png


def test_labels_follow_the_distribution(examples):
    expected = np.mean([example.distribution[0] for example in examples])
    assert np.mean([example.label == "positive" for example in examples]) == pytest.approx(expected, abs=0.06)


def test_a_reasoning_demonstration_answers_with_the_drawn_label():
    example = _example()
    demonstration = reasoning_demonstration(example, "/a.png")
    parsed = parse_response(demonstration.response, with_confidence=False)
    assert parsed.well_formed
    assert parsed.answer == example.label == demonstration.sample.label
    assert parsed.parts == example.reasoning
    assert demonstration.sample.question == (
        "Which emotion may this image evoke? "
        "Choose one of ['love', 'joy', 'surprise', 'confusion', 'sadness', 'anger', 'fear']."
    )


def test_a_pretraining_demonstration_knows_the_format_and_nothing_else(examples):
    demonstrations = [pretraining_demonstration(example, "/a.png") for example in examples]
    parsed = [parse_response(demonstration.response) for demonstration in demonstrations]
    assert all(entry.well_formed and entry.confidence is not None for entry in parsed)
    right = [entry.answer == item.sample.label for entry, item in zip(parsed, demonstrations, strict=True)]
    assert np.mean(right) == pytest.approx(0.5, abs=0.1)
    assert np.mean([entry.confidence for entry in parsed]) == pytest.approx(0.5, abs=0.06)
