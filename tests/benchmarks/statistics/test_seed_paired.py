"""Differences over seeds, held against a loop that counts every image by hand."""

import numpy as np
import pytest

from emocal_rl.benchmarks.statistics.seed_paired import AVERAGE, SeedPair, compare_seeds
from emocal_rl.benchmarks.vecbench.judgement import Judgement
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes, collect
from emocal_rl.benchmarks.vecbench.paper import paper_report

TASKS = ("FI-8", "EmoSet-8", "FI-2")


def outcomes(accuracy: float, rng: np.random.Generator, num_samples: int = 40) -> Outcomes:
    return collect(
        Judgement(task, "awe", "awe" if rng.random() < accuracy else "fear", float(rng.random()), None)
        for task in TASKS
        for _ in range(num_samples)
    )


def pairs(num_seeds: int, better: float) -> list[SeedPair]:
    ids = [f"{task}-{n}" for task in TASKS for n in range(40)]
    rngs = [np.random.default_rng(seed) for seed in range(num_seeds)]
    return [SeedPair(ids, outcomes(0.5, rng), outcomes(0.5 + better, rng)) for rng in rngs]


@pytest.mark.parametrize("metric", ["accuracy", "brier", "ece", "auc"])
def test_a_difference_is_the_mean_over_seeds_of_the_papers_values(metric: str) -> None:
    given = pairs(3, 0.2)
    found = compare_seeds(given, num_resamples=50)
    for scope in ("ID VER", "ID VSA", AVERAGE):
        expected = []
        for pair in given:
            first, second = (paper_report(each) for each in (pair.first, pair.second))
            rows = (first.overall, second.overall) if scope == AVERAGE else (first.groups[scope], second.groups[scope])
            expected.append(getattr(rows[1], metric) - getattr(rows[0], metric))
        assert found[scope][metric].value == pytest.approx(np.mean(expected), abs=1e-12)


def test_the_interval_of_a_real_gain_excludes_zero_and_that_of_none_does_not() -> None:
    gain, none = (compare_seeds(pairs(3, better), num_resamples=500)[AVERAGE]["accuracy"] for better in (0.3, 0.0))
    assert gain.interval is not None
    assert none.interval is not None
    assert 0.1 < gain.interval.lower < gain.value < gain.interval.upper < 0.5  # type: ignore[operator]
    assert none.interval.lower < 0 < none.interval.upper


def test_seeds_with_other_images_count_each_image_once() -> None:
    first, second = pairs(2, 0.2)
    kept = np.arange(len(second.ids)) % 2 == 0
    half = SeedPair(
        [name for name, keep in zip(second.ids, kept, strict=True) if keep],
        second.first.where(kept),
        second.second.where(kept),
    )
    found = compare_seeds([first, half], num_resamples=100)["ID VSA"]["accuracy"]
    means = [
        np.mean([pair.second.by_task()["FI-2"].correct.mean() - pair.first.by_task()["FI-2"].correct.mean()])
        for pair in (first, half)
    ]
    assert found.value == pytest.approx(np.mean(means))
    assert found.interval is not None


def test_identical_models_differ_by_nothing() -> None:
    (pair,) = pairs(1, 0.0)
    found = compare_seeds([SeedPair(pair.ids, pair.first, pair.first)], num_resamples=20)
    assert found[AVERAGE]["brier"].value == 0.0
    assert found[AVERAGE]["brier"].interval is None
