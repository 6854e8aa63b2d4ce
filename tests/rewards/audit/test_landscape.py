import math

import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.errors import RewardError
from emocal_rl.rewards.audit.landscape import Landscape, question_with, without_clip
from emocal_rl.rewards.registry import RewardInput, reward


def config(**values):
    return RewardConfig.model_validate(values)


def test_totals_are_the_compositions_own(landscapes):
    paper, official = landscapes["loglik"], landscapes["official"]
    assert paper.right(0.85) == pytest.approx(2 + math.log(0.85))
    assert paper.wrong(0.85) == pytest.approx(1 + math.log(0.15))
    assert paper.wrong(1.0) == pytest.approx(1 + math.log(0.001))
    assert paper.expected(0.7, 0.6) == pytest.approx(0.7 * (2 + math.log(0.6)) + 0.3 * (1 + math.log(0.4)))
    assert official.right(0.5) == pytest.approx(2 + 2 * math.log(0.5))
    assert official.wrong(1e-12) == pytest.approx(1.0)
    assert (official.right(1.0), official.wrong(0.0)) == (-5.0, -5.0)
    assert len(paper.wrong_answers) == 1


def test_a_masked_response_has_no_total(landscapes):
    assert math.isnan(landscapes["unclipped"].wrong(1.0))
    assert landscapes["unclipped"].right(1.0) == 2.0


def by_hand(landscape, confidence):
    answers = landscape.sample.candidates[1:]
    return [
        landscape.composition.score(landscape.sample, landscape.render(a, confidence), "stop").total for a in answers
    ]


@pytest.mark.parametrize("classes", [8, 25])
def test_soft_credit_averages_over_the_wrong_labels_and_the_decoy_takes_the_best(classes):
    soft = Landscape.of(config(correctness={"params": {"ring_credit": 0.5}}), classes)
    for confidence in (0.0, 0.37, 1.0):
        every = by_hand(soft, confidence)
        assert len(set(every)) == classes - 1
        assert soft.wrong(confidence) == pytest.approx(sum(every) / len(every))
        assert soft.best_wrong(confidence) == pytest.approx(max(every))
    assert soft.wrong_answers == soft.sample.candidates[1:2]  # the confidence moves them all alike, so one is scored


def test_a_rule_that_asks_how_wrong_the_answer_is_has_every_wrong_label_scored():
    @reward("test-audit-soft-brier", worst=-1.0)
    def soft_brier(x: RewardInput) -> float:
        truth = 1.0 if x.correct else 0.5 / (1 + x.sample.candidates.index(x.parsed.answer))
        return -((truth - x.parsed.confidence) ** 2)

    soft = Landscape.of(config(confidence={"rule": "test-audit-soft-brier"}))
    assert len(soft.wrong_answers) == 7
    for confidence in (0.0, 0.37, 1.0):
        every = by_hand(soft, confidence)
        assert soft.wrong(confidence) == pytest.approx(sum(every) / 7)
        assert soft.best_wrong(confidence) == max(every)


@pytest.mark.parametrize(("classes", "task"), [(2, "FI-2"), (6, "UnbiasedEmo-6"), (8, "FI-8"), (25, "WebEmo-25")])
def test_the_question_has_the_candidates_of_a_shipped_taxonomy(classes, task):
    assert question_with(classes).task == task
    assert len(question_with(classes).candidates) == classes


@pytest.mark.parametrize("classes", [1, 26])
def test_numbers_of_classes_out_of_bounds_are_refused(classes):
    with pytest.raises(RewardError, match="must be between 2 and 25"):
        question_with(classes)


def test_without_clip_changes_only_rules_that_have_one():
    brier = config(confidence={"rule": "brier"})
    assert without_clip(brier) is brier
    assert Landscape.of(without_clip(config())).wrong(0.9999) == pytest.approx(1 + math.log(0.0001))


def test_a_rule_that_raises_is_named():
    @reward("test-audit-raises", worst=0.0)
    def raises(x: RewardInput) -> float:
        return 1 / len(x.sample.system)

    with pytest.raises(RewardError, match="ZeroDivisionError"):
        Landscape.of(config(confidence={"rule": "test-audit-raises"}))
