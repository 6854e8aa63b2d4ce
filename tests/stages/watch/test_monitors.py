import time
from itertools import count

import numpy as np
import pytest

from emocal_rl.benchmarks.vecbench.metrics import roc_auc
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.contracts import RewardedResponse, ScoredGroup
from emocal_rl.stages.watch.advantage_makeup import advantage_makeup
from emocal_rl.stages.watch.calibration_by_task import calibration_by_task
from emocal_rl.stages.watch.confidence_spread import confidence_spread
from emocal_rl.stages.watch.exits import exits, repeats_itself
from emocal_rl.stages.watch.monitors import monitors
from emocal_rl.stages.watch.response_columns import ResponseColumns

_ids = count()


def response(
    correct: bool = True,
    confidence: float | None = 0.5,
    masked: str | None = None,
    *,
    formed: bool = True,
    **terms: float,
) -> RewardedResponse:
    return RewardedResponse(terms, sum(terms.values()), correct, confidence, formed, "awe", masked)


def group(*responses: RewardedResponse, task: str = "FI-8", sample_id: str = "", text: str = "short") -> ScoredGroup:
    size = len(responses)
    name = sample_id or f"s{next(_ids)}"
    return ScoredGroup(name, task, responses, (0.0,) * size, (1,) * size, 1, texts=(text,) * size)


def columns(*groups: ScoredGroup) -> ResponseColumns:
    return ResponseColumns.of(groups)


def test_calibration_of_each_task_by_value() -> None:
    values = calibration_by_task(
        columns(
            group(response(True, 0.8), response(False, 0.8), response(False, None), response(True, 0.1, "timeout")),
            group(response(False, 0.3), response(False, 0.2)),
            group(response(False, None), task="EmoSet-8"),
        ),
        num_bins=10,
    )
    assert values["rollout/FI-8/accuracy"] == pytest.approx(1 / 5)
    assert values["rollout/FI-8/mean_confidence"] == pytest.approx(2.1 / 4)
    assert values["rollout/FI-8/ece"] == pytest.approx((2 * 0.3 + 0.3 + 0.2) / 4)
    assert values["rollout/FI-8/brier"] == pytest.approx((0.04 + 0.64 + 0.09 + 0.04) / 4)
    assert values["rollout/FI-8/auc"] == pytest.approx(2.5 / 3)
    assert values["rollout/FI-8/brier_reliability"] == pytest.approx((2 * 0.09 + 0.09 + 0.04) / 4)
    assert values["rollout/FI-8/brier_uncertainty"] == values["rollout/brier_uncertainty"] == pytest.approx(0.1875)
    assert values["rollout/EmoSet-8/accuracy"] == 0
    assert values["rollout/EmoSet-8/ece"] is None


def test_auc_is_that_of_the_evaluation() -> None:
    rng = np.random.default_rng(1)
    confidence, correct = rng.integers(0, 11, 60) / 10, rng.random(60) < 0.4
    responses = [response(bool(right), float(c)) for right, c in zip(correct, confidence, strict=True)]
    found = calibration_by_task(columns(group(*responses)), num_bins=10)["rollout/FI-8/auc"]
    assert found == pytest.approx(roc_auc(confidence, correct.astype(float)), abs=1e-12)


@pytest.mark.parametrize(
    ("stated", "bits", "values"),
    [
        ((0.9, 0.9, 0.9), 0.0, 1),
        ((0.9, 0.1, None, 0.1, 0.9), 1.0, 2),
        ((0.1, 0.2, 0.3, 0.4), 2.0, 4),
        ((None,), None, 0),
    ],
)
def test_entropy_in_bits_of_the_stated_values(
    stated: tuple[float | None, ...], bits: float | None, values: int
) -> None:
    found = confidence_spread(columns(group(*(response(True, value) for value in stated))))
    assert found["rollout/confidence_entropy"] == (None if bits is None else pytest.approx(bits))
    assert found["rollout/num_confidence_values"] == values


def test_variance_shares_are_within_groups_and_sum_to_one() -> None:
    # Between the groups correctness differs by 10, which no advantage sees; within them confidence pulls against it.
    values = advantage_makeup(
        columns(
            group(response(correctness=0.0, scored=0.0), response(correctness=1.0, scored=-0.5)),
            group(response(correctness=10.0, scored=0.0), response(correctness=11.0, scored=-0.5)),
        ),
        {},
    )
    assert values["advantage/variance_share/correctness"] == pytest.approx(2.0)
    assert values["advantage/variance_share/scored"] == pytest.approx(-1.0)


def test_normalising_changes_which_level_of_confidence_is_encouraged() -> None:
    def pair(high: float, low: float) -> ScoredGroup:
        return group(response(True, 0.95, total=high), response(True, 0.15, total=low))

    one_large_against_three_small = [pair(-2.0, 2.0), pair(0.5, -0.5), pair(0.5, -0.5), pair(0.5, -0.5)]
    rest = group(response(True, None, total=0.0), response(True, None, total=0.1))
    values = advantage_makeup(columns(*one_large_against_three_small, rest), {})
    assert values["advantage/confidence_flip_share"] == 1.0
    assert values["advantage/sign_flip_share"] == 0.0  # one term: no single sign can change
    assert advantage_makeup(columns(pair(1.0, 0.0), pair(2.0, 0.0)), {})["advantage/confidence_flip_share"] == 0.0


def test_normalising_term_by_term_changes_single_signs() -> None:
    pair = group(response(correctness=0.0, scored=0.0), response(correctness=1.0, scored=-2.0))
    wider = group(response(correctness=1.0), response(correctness=0.0), response(correctness=0.0))
    assert advantage_makeup(columns(pair, wider), {"correctness": 3.0})["advantage/sign_flip_share"] == 2 / 5
    assert advantage_makeup(columns(pair, wider), {"correctness": 0.5})["advantage/sign_flip_share"] == 0.0


def test_sign_flips_weigh_the_kl_penalty_as_the_estimator_does() -> None:
    config = resolve_config(None, sets=["reward.correctness.weight=0.5", "loss.kl_placement=reward"])
    pair = group(response(correctness=0.0, kl=0.0), response(correctness=0.5, kl=-0.01))
    assert monitors([pair], config)["advantage/sign_flip_share"] == 0.0
    heavy = resolve_config(None, sets=["reward.correctness.weight=0.5", "loss.kl_coefficient=1"])
    assert monitors([pair], heavy)["advantage/sign_flip_share"] == 1.0


def test_equal_rewards_have_no_makeup() -> None:
    values = advantage_makeup(columns(group(response(total=1.0), response(total=1.0)), group(response(total=2.0))), {})
    assert values == {
        "advantage/variance_share/total": None, "advantage/sign_flip_share": None,
        "advantage/confidence_flip_share": None,
    }  # fmt: skip


def test_exits_by_value() -> None:
    groups = [
        group(
            response(False, 0.09), response(False, 0.1), response(True, 0.05), response(True, 0.9), sample_id="known"
        ),
        group(response(False, 0.01), response(False, None), sample_id="unknown"),
        group(response(False, 0.5, formed=False), response(False, 0.0, "timeout"), text="so it goes " * 50),
    ]
    values = exits(columns(*groups), {"known"})
    assert values == pytest.approx({
        "rollout/format_exit_share": 2 / 7, "rollout/repetition_share": 1 / 7,
        "rollout/decoy_share": 1 / 4, "rollout/retained_accuracy": 2 / 4,
    })  # fmt: skip
    assert exits(columns(*groups), None)["rollout/decoy_share"] is None


def test_loops_are_told_from_text() -> None:
    reasoning = (
        "<think><element>a soft view on inky ground</element><human>bent mouth, half open eyes</human><context>the "
        "place is cool</context><interaction>a little face before it</interaction><analysis>bitter, steady, meek"
        "</analysis></think><answer>anger</answer><confidence>0.35</confidence>"
    )
    assert not repeats_itself(reasoning)
    assert repeats_itself(reasoning + " the sky the sky" * 100)
    assert not repeats_itself("no no no no no no no")


def test_a_step_of_which_nothing_is_left_has_undefined_monitors() -> None:
    values = monitors([group(response(masked="timeout"))], resolve_config(), {"s"})
    assert values.pop("rollout/num_confidence_values") == 0
    assert set(values.values()) == {None}


def test_512_responses_take_less_than_20_ms() -> None:
    rng, config, text = np.random.default_rng(0), resolve_config(), "a warm and quiet view of the old ground. " * 10
    groups = [
        group(
            *(
                response(rng.random() < 0.5, round(rng.random(), 2), correctness=rng.random(), scored=-rng.random())
                for _ in range(8)
            ),
            task=f"task {number % 9}", text="".join(chr(c) for c in rng.integers(97, 123, 400)) + text[:100],
        )
        for number in range(64)
    ]  # fmt: skip

    def cost_s() -> float:
        started = time.process_time()
        monitors(groups, config, {"s1"})
        return time.process_time() - started

    assert min(cost_s() for _ in range(10)) < 0.02
