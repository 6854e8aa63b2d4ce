import pytest

from emocal_rl.platform.contracts import RewardedResponse, Sample, ScoredGroup
from emocal_rl.stages.rollout_statistics import rollout_statistics
from emocal_rl.stages.sample_rows import sample_rows


def rewarded(correct: bool, confidence: float | None, masked: str | None = None) -> RewardedResponse:
    terms = {} if masked else {"format": 1.0, "confidence": -0.5}
    return RewardedResponse(terms, sum(terms.values()), correct, confidence, True, "awe", masked)


GROUP = ScoredGroup(
    "s",
    "FI-8",
    (rewarded(True, 0.95), rewarded(False, 0.95), rewarded(True, None), rewarded(True, 0.5, masked="timeout")),
    (0.5, -0.5, 0.0, 0.0),
    (10, 20, 30, 40),
    5,
    weight_versions=(3, 3, 3, 3),
    finish_reasons=("stop", "stop", "length", "stop"),
    texts=("a", "b", "c", "d"),
)


def test_masked_responses_only_count_as_masked_and_calibration_needs_a_confidence() -> None:
    values = rollout_statistics([GROUP], num_bins=10)
    assert values["rollout/masked"] == 1
    assert values["rollout/accuracy"] == pytest.approx(2 / 3)
    assert values["rollout/mean_confidence"] == pytest.approx(0.95)
    assert values["rollout/ece"] == pytest.approx(0.45)
    assert values["rollout/brier"] == pytest.approx((0.05**2 + 0.95**2) / 2)
    assert values["rollout/auc"] == pytest.approx(0.5)
    assert values["rollout/share_above_0.9"] == 1
    assert values["rollout/valid_confidence_share"] == pytest.approx(2 / 3)
    assert values["rollout/truncated_share"] == 0.25
    assert values["rollout/response_tokens"] == 25
    assert values["reward/total"] == pytest.approx(0.5)


def test_a_step_without_any_confidence_has_undefined_calibration_not_zero() -> None:
    group = ScoredGroup("s", "FI-8", (rewarded(False, None),), (0.0,), (1,), 1, finish_reasons=("stop",), texts=("",))
    values = rollout_statistics([group], num_bins=10)
    assert values["rollout/ece"] is None
    assert values["rollout/mean_confidence"] is None
    assert values["rollout/accuracy"] == 0


def test_every_response_is_one_row() -> None:
    sample = Sample("s", ("a.png",), "Which?", ("awe", "fear"), "awe", "FI-8")
    rows = sample_rows(7, [sample], [GROUP])
    assert [(row["step"], row["response_index"], row["text"]) for row in rows] == [
        (7, 0, "a"), (7, 1, "b"), (7, 2, "c"), (7, 3, "d")
    ]  # fmt: skip
    expected = {"reward_format": 1.0, "reward_confidence": -0.5, "advantage": 0.5, "weight_version": 3}
    assert rows[0] | expected | {"confidence_advantage": 0.5} == rows[0]
    assert rows[3]["masked"] == "timeout"
    assert rows[2]["finish_reason"] == "length"
