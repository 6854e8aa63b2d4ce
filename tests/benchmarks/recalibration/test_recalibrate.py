from dataclasses import replace

import numpy as np
import pytest

from emocal_rl.benchmarks.recalibration.cross_fitting import cross_fit
from emocal_rl.benchmarks.recalibration.methods import METHODS
from emocal_rl.benchmarks.recalibration.recalibrate import recalibrate, with_confidence
from emocal_rl.benchmarks.vecbench.judgement import Judgement, judge
from emocal_rl.benchmarks.vecbench.outcomes import collect
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.errors import DataError


def overconfident(tasks=("FI-2", "WebEmo-2", "FI-8"), num_samples=300, seed=0):
    """Every tenth confidence is missing; the FI-8 answers are right less often."""
    rng = np.random.default_rng(seed)
    judged = []
    for task in tasks:
        for number in range(num_samples):
            confidence = round(float(rng.beta(8, 2)), 2)
            right = rng.random() < (0.3 if task == "FI-8" else 0.6) + 0.3 * (confidence - 0.8)
            stated = number % 10 > 0
            judged.append(
                Judgement(
                    task, "awe", "awe" if right else None, confidence if stated else None, None if stated else "missing"
                )
            )
    return collect(judged)


def test_every_method_mends_the_calibration_and_touches_nothing_else():
    outcomes = overconfident()
    found = recalibrate(outcomes)
    assert [entry.method for entry in found] == ["stated", *METHODS]
    stated = found[0].report.overall
    assert stated.ece > 0.25
    for entry in found[1:]:
        overall = entry.report.overall
        assert overall.ece < 0.09 if entry.method != "temperature" else overall.ece < stated.ece - 0.1
        assert overall.brier < stated.brier
        assert (overall.accuracy, overall.coverage) == (stated.accuracy, 0.9)
        assert np.array_equal(np.isnan(entry.confidence), np.isnan(outcomes.confidence))
        assert np.array_equal(entry.confidence, entry.confidence.round(6), equal_nan=True)
    assert found[1].report.overall.auc == pytest.approx(stated.auc, abs=0.02)  # one monotone map, up to the folds


def test_a_fit_of_its_own_sees_only_its_part():
    outcomes = overconfident()
    (_, found) = recalibrate(outcomes, ["platt"], fit_per="task", num_folds=4, seed=2)
    rows = outcomes.stated & (outcomes.task == 2)
    right, strata = outcomes.correct[rows].astype(float), outcomes.task[rows]
    expected = cross_fit(METHODS["platt"], outcomes.confidence[rows], right, strata, num_folds=4, seed=2)
    assert found.confidence[rows] == pytest.approx(expected, abs=1e-6)
    eces = {
        per: recalibrate(outcomes, ["platt"], fit_per=per)[1].report.tasks["FI-8"].ece
        for per in ("overall", "group", "task")
    }
    assert eces["overall"] > 0.15
    assert eces["group"] == eces["task"] < 0.1  # FI-8 is the only task of its group


def test_a_task_outside_the_groups_is_a_part_of_its_own():
    outcomes = overconfident(("FI-2", "FI-8"))
    outcomes = replace(outcomes, tasks=("FI-2", "Cats-9"))
    assert recalibrate(outcomes, ["platt"], fit_per="group")[1].report.tasks["Cats-9"].ece < 0.1


def test_too_few_confidences_are_refused_and_none_are_left_alone():
    few = overconfident(("FI-2",), num_samples=4)
    with pytest.raises(DataError, match=r"^FI-2: states 3 valid confidence\(s\), which do not fill 5 folds"):
        recalibrate(few)
    silent = few.where(~few.stated)
    assert recalibrate(silent, ["beta"])[1].report.overall.ece is None


@pytest.mark.parametrize(
    "response",
    [
        "<think>x</think><answer>awe</answer>\n<confidence> 0.9 </confidence> bye",
        "<confidence>1</confidence><answer>fear",
    ],
)
def test_only_the_confidence_of_a_response_changes(response):
    prediction = Prediction("1", ("a.png",), "?", ("awe", "fear"), "awe", "FI-8", response=response)
    changed = with_confidence(prediction, 0.25)
    before, after = judge(prediction), judge(changed)
    assert (after.confidence, after.answer) == (0.25, before.answer)
    assert changed.response.split("<confidence>")[0] == response.split("<confidence>")[0]
    assert changed.response.split("</confidence>")[1] == response.split("</confidence>")[1]
    assert with_confidence(prediction, float("nan")) is prediction
    tiny = with_confidence(prediction, 1e-06)
    assert judge(tiny).confidence == 1e-06  # no exponent, which would be no plain number
