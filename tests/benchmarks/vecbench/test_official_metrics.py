import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from emocal_rl.benchmarks.vecbench.judgement import Judgement
from emocal_rl.benchmarks.vecbench.official_metrics import curve_area, open_bin_error, weighted_f1
from emocal_rl.benchmarks.vecbench.outcomes import collect
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES


@pytest.mark.parametrize(
    ("groups", "ece"),
    [
        ([(1.0, 10, 0)], 0.0),
        ([(1.0, 5, 0), (0.95, 5, 5)], 0.025),
        ([(0.3, 5, 1), (0.25, 5, 3)], 0.125),
        ([(0.6, 4, 4), (0.55, 4, 0)], 0.075),  # both in [.5, .6)
        ([(0.7, 4, 4), (0.65, 4, 0)], 0.175),
        ([(0.4, 4, 4), (0.35, 4, 0)], 0.475),  # .4 is where it belongs
        ([(0.0, 2, 0)], 0.0),
    ],
)
def test_the_last_bin_is_open_and_the_edges_are_floats(groups, ece):
    confidence = np.concatenate([np.full(count, value) for value, count, _ in groups])
    correct = np.concatenate([np.arange(count) < right for _, count, right in groups]).astype(float)
    assert open_bin_error(confidence, correct) == pytest.approx(ece, abs=1e-12)


def test_weighted_f1_is_scikit_learns_to_the_last_bit():
    rng = np.random.default_rng(0)
    names = [*TAXONOMIES["webemo25"].labels, "unknown"]
    for size in (1, 2, 5, 40, 40, 40, 300, 300):
        labels = [names[code] for code in rng.integers(0, 25, size)]
        answers = [label if rng.random() < 0.5 else names[rng.integers(0, 26)] for label in labels]
        pairs = zip(labels, answers, strict=True)
        found = weighted_f1(collect(Judgement("t", label, answer, None, "missing") for label, answer in pairs))
        assert found == f1_score(labels, answers, average="weighted")


def test_the_area_is_scikit_learns_to_the_last_bit():
    rng, num_defined = np.random.default_rng(0), 0
    for _ in range(60):
        size = rng.integers(2, 80)
        confidence = rng.choice(np.linspace(0, 1, rng.integers(2, 30)), size)
        correct = (rng.random(size) < rng.random()).astype(float)
        if correct.min() < correct.max():
            num_defined += 1
            assert curve_area(confidence, correct) == roc_auc_score(correct, confidence)
    assert num_defined > 40


def test_an_area_needs_right_and_wrong():
    confidence = np.array([0.25, 0.5])
    assert curve_area(confidence, np.ones(2)) is curve_area(confidence, np.zeros(2)) is None
    assert curve_area(confidence, np.array([0.0, 1.0])) == 1.0
