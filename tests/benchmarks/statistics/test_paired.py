from collections.abc import Callable
from math import comb

import numpy as np
import pytest

from emocal_rl.benchmarks.statistics.paired import compare_paired
from emocal_rl.benchmarks.vecbench.judgement import Judgement
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes, collect
from emocal_rl.benchmarks.vecbench.strict import strict_report

Make = Callable[..., Outcomes]


def judged(*answers: str, confidence: float | None = 0.7) -> list[Judgement]:
    problem = "missing" if confidence is None else None
    return [Judgement("FI-2", "positive", answer, confidence, problem) for answer in answers]


def test_mcnemar_is_the_binomial_test_of_the_discordant_pairs() -> None:
    first = collect(judged(*["positive"] * 10, *["negative"] * 3, *["positive"] * 5))
    second = collect(judged(*["positive"] * 10, *["positive"] * 3, *["negative"] * 5))
    row = compare_paired(first, second, num_resamples=50).overall
    assert (row.only_first_right, row.only_second_right) == (5, 3)
    assert row.mcnemar_p == pytest.approx(2 * sum(comb(8, count) for count in range(4)) / 2**8)
    assert row.metrics["accuracy"].difference == pytest.approx(-2 / 18)
    assert compare_paired(first, first, num_resamples=50).overall.mcnemar_p == 1.0


def test_differences_are_those_of_the_reports(make_outcomes: Make) -> None:
    first, second = make_outcomes(), make_outcomes(answer_seed=1)
    both = first.stated & second.stated
    found = compare_paired(first, second, num_resamples=300)
    assert found.groups.keys() == {"ID VSA", "ID VER", "OOD VER"}
    assert (found.overall.num_samples, found.overall.num_stated) == (130, both.sum())
    for name, over in (
        ("accuracy", slice(None)),
        ("f1_macro", slice(None)),
        ("brier", both),
        ("ece", both),
        ("auc", both),
    ):
        values = [getattr(strict_report(model.take(np.arange(130)[over])).overall, name) for model in (first, second)]
        metric = found.overall.metrics[name]
        assert (metric.first, metric.second) == pytest.approx(values)
        assert metric.difference == pytest.approx(values[1] - values[0])
        assert metric.interval.lower < metric.difference < metric.interval.upper
    inside = first.task == 0
    assert found.groups["ID VSA"].metrics["accuracy"].first == first.correct[inside].mean()


def test_a_small_consistent_gain_shows_only_when_paired(make_outcomes: Make) -> None:
    first = make_outcomes(FI_2=300)
    second = make_outcomes(FI_2=300)
    second.confidence[:] = np.maximum(second.confidence - 0.05, 0)  # overconfident by less, on every sample alike
    paired = compare_paired(first, second, num_resamples=500).overall.metrics["mean_confidence"]
    assert paired.difference == pytest.approx(-0.05, abs=0.002)
    assert paired.interval is None or paired.interval.upper < -0.045


def test_a_model_does_not_differ_from_itself(make_outcomes: Make, recwarn: pytest.WarningsRecorder) -> None:
    found = compare_paired(make_outcomes(), make_outcomes(), num_resamples=100).overall
    assert {metric.difference for metric in found.metrics.values()} == {0.0}
    assert {metric.interval for metric in found.metrics.values()} == {None}
    silent = collect(judged("positive", "negative", confidence=None))
    metrics = compare_paired(silent, silent, num_resamples=10).overall.metrics
    assert [metrics[name].difference for name in ("ece", "brier", "auc")] == [None] * 3
    assert not recwarn.list


def test_the_error_rate_is_as_promised(make_outcomes: Make) -> None:
    """Two equally good models: the 90 % interval of their difference leaves out 0 in about 4 of 40 worlds."""
    models = [[make_outcomes(seed, answer_seed=seed + shift, FI_2=60) for shift in (0, 1000)] for seed in range(40)]
    worlds = [compare_paired(*pair, num_resamples=120, level=0.9).overall for pair in models]
    intervals = [world.metrics["brier"].interval for world in worlds]
    assert 1 <= sum(not interval.lower <= 0 <= interval.upper for interval in intervals) <= 10
