from dataclasses import replace
from typing import Any

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.stages.ablation.prediction import Agreement, Prediction, agree, predict, read_prediction


def evaluation(bins: list[tuple[float, float, int]]) -> dict[str, Any]:
    """Bins of (stated confidence, accuracy, count)."""
    histogram = [0] * 20
    for confidence, _, count in bins:
        histogram[min(19, int(confidence * 20))] += count
    total = sum(count for *_, count in bins)
    mean = sum(confidence * count for confidence, _, count in bins) / total
    rows = [{"mean_confidence": c, "accuracy": a, "count": n, "lower": 0, "upper": 1} for c, a, n in bins]
    return {"histogram": histogram, "reliability": rows, "overall": {"mean_confidence": mean}, "in_domain": None}


OVERCONFIDENT = evaluation([(0.85, 0.5, 60), (0.75, 0.4, 40)])
PREDICTED = Prediction(0.8, 0.4, "down", "proper", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), None)


def test_raw_advantages_are_expected_to_bring_an_overconfident_model_down_to_its_accuracy() -> None:
    predicted = predict(resolve_config("smoke"), [OVERCONFIDENT])
    assert predicted is not None
    assert predicted.start == pytest.approx(0.81)
    assert predicted.end == pytest.approx(0.46, abs=0.06)
    assert (predicted.direction, predicted.verdict, predicted.independent) == ("down", "held by its start", None)
    assert read_prediction(predicted.to_dict()) == predicted


def test_normalised_advantages_are_expected_to_take_confidence_to_an_extreme() -> None:
    config = resolve_config("smoke", sets=["advantage.normalize=true", "reward.confidence.rule=brier"])
    sure = predict(config, [evaluation([(0.95, 0.8, 50), (0.85, 0.8, 50)])])
    assert sure is not None
    assert (sure.verdict, sure.direction) == ("polarising", "up")
    assert sure.end > 0.95
    assert sure.independent is not None
    unsure = predict(config, [evaluation([(0.25, 0.2, 100)])])
    assert unsure is not None
    assert (unsure.direction, unsure.end < 0.05) == ("down", True)


def test_nothing_is_predicted_of_a_model_that_states_no_confidence() -> None:
    silent = {"histogram": [0] * 20, "reliability": [], "overall": {"mean_confidence": None}, "in_domain": None}
    assert predict(resolve_config("smoke"), [silent, silent]) is None


def judge(changes: list[float], after: dict[str, Any] | None = None, **changed: Any) -> Agreement:
    befores = [evaluation([(0.8, 0.5, 100)]) for _ in changes]
    afters = [after or evaluation([(0.8 + change, 0.5, 100)]) for change in changes]
    return agree(replace(PREDICTED, **changed), befores, afters)


def test_a_measured_fall_agrees_with_a_predicted_one() -> None:
    found = judge([-0.2, -0.3])
    assert found.measured == pytest.approx((-0.2, -0.3))
    assert (found.direction, found.agrees, found.reason) == ("down", True, "")


def test_nothing_measured_is_no_agreement() -> None:
    assert judge([]).agrees is None


@pytest.mark.parametrize(
    ("changes", "changed", "reason"),
    [
        ([0.2, -0.6, 0.5], {}, "the seeds differ: the predicted change of -0.40 lies within"),
        ([-0.01], {}, "it moved that way, but by -0.010 only in these steps"),
        ([0.15], {"independent": 0.95}, "for independent ones it predicts 0.95, which agrees: groups were mixed"),
        ([0.15], {"by_probability": (0.9,) * 9}, "accuracy changed: for answers as right as they became it predicts"),
        (
            [0.1],
            {"after": evaluation([(0.9, 0.8, 100)])},
            "against it confidence moved as predicted, from +0.30 to +0.10",
        ),
        ([0.15], {}, "no reason found"),
    ],
)
def test_a_disagreement_has_the_first_reason_that_fits(
    changes: list[float], changed: dict[str, Any], reason: str
) -> None:
    found = judge(changes, **changed)
    assert found.agrees is False
    assert reason in found.reason
