import math

import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.errors import RewardError
from emocal_rl.platform.responses.grammar import render_response
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.presets import preset
from emocal_rl.rewards.registry import RewardInput, reward

CANDIDATES = ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")
PARTS = {part: f"about the {part}" for part in REASONING_PARTS}
PAPER = Composition.from_config(preset("paper"))
OFFICIAL = Composition.from_config(preset("official"))


def sample(label="awe", candidates=CANDIDATES, task="FI-8"):
    return Sample("s", ("a.png",), "Which?", candidates, label, task)


def response(answer="awe", confidence="0.85"):
    return render_response(PARTS, answer, confidence)


REORDERED = (
    "<confidence>\n0.5\n</confidence>\n<answer>awe</answer><think>"
    + "".join(f"<{part}>a\nb</{part}>" for part in reversed(REASONING_PARTS))
    + "</think>"
)


@pytest.mark.parametrize(
    ("text", "label", "total"),
    [
        (response("awe", "0.85"), "awe", 1.6750),
        (response("Awe.", "0.85"), "awe", 1.6750),
        (response("awe or fear", "0.85"), "awe", -2.7942),
        (response("fear", "0.99"), "awe", -8.2103),
        (response("fear", "0.01"), "awe", 0.9799),
        (REORDERED, "awe", 0.6137),
        (response("self-pity", "0.5"), "self-pity", -0.3863),
        (response("awe", "1.0"), "awe", -5.0),
        (response("awe", "0"), "awe", -5.0),
        (response("awe", "{0.85}"), "awe", -5.0),
        (response("awe", "85%"), "awe", -5.0),
        (response("awe", "nan"), "awe", -5.0),
        ("<answer>awe</answer><confidence>0.85</confidence>", "awe", -5.0),
    ],
)
def test_the_official_preset_reproduces_the_golden_vectors(text, label, total):
    rewarded = OFFICIAL.score(sample(label), text, "stop")
    assert round(rewarded.total, 4) == total
    assert sum(rewarded.terms.values()) == rewarded.total
    assert rewarded.terms.keys() == {"format", "correctness", "confidence", "malformed"}


def test_the_official_preset_does_not_clip_and_knows_no_truncation():
    assert OFFICIAL.score(sample(), response("fear", "0.99999"), "stop").total == pytest.approx(
        1 + 2 * math.log(1 - 0.99999)
    )
    assert round(OFFICIAL.score(sample(), response(), "length").total, 4) == 1.6750


@pytest.mark.parametrize(
    ("text", "finish", "terms"),
    [
        (response("awe", "0.85"), "stop", (1.0, 1.0, math.log(0.85))),
        (response("Awe.", "0.85"), "stop", (1.0, 1.0, math.log(0.85))),
        (response("fear", "0.85"), "stop", (1.0, 0.0, math.log(0.15))),
        (response("awe or fear", "0.85"), "stop", (1.0, 0.0, math.log(0.15))),
        (response("awesome", "0.85"), "stop", (1.0, 0.0, math.log(0.15))),
        (response("fear", "1"), "stop", (1.0, 0.0, math.log(0.001))),
        (response("fear", "0"), "stop", (1.0, 0.0, math.log(0.999))),
        (response("awe", "0"), "stop", (1.0, 1.0, math.log(0.001))),
        (response("awe", "85%"), "stop", (1.0, 1.0, math.log(0.001))),
        (response("awe", None), "stop", (0.0, 1.0, math.log(0.001))),
        (response("awe", "0.85"), "length", (0.0, 1.0, math.log(0.85))),
        (REORDERED, "stop", (0.0, 1.0, math.log(0.5))),
        ("", "length", (0.0, 0.0, math.log(0.001))),
    ],
)
def test_the_paper_preset_by_value(text, finish, terms):
    rewarded = PAPER.score(sample(), text, finish)
    assert tuple(rewarded.terms.values()) == pytest.approx(terms, rel=1e-12)
    assert rewarded.terms.keys() == {"format", "correctness", "confidence"}
    assert rewarded.total == pytest.approx(sum(terms), rel=1e-12)
    assert rewarded.masked is None
    assert rewarded.well_formed is bool(terms[0])


def test_what_a_reward_says_about_the_response():
    rewarded = PAPER.score(sample(), response("Fear", "0.3"), "stop")
    assert (rewarded.correct, rewarded.confidence, rewarded.answer) == (False, 0.3, "Fear")


def test_both_spellings_and_unknown_candidates_count_as_the_label():
    assert PAPER.score(sample("cheerfullness", (), "WebEmo-25"), response("cheerfulness"), "stop").correct
    assert PAPER.score(sample("self-pity", ("self-pity", "calm"), "pets"), response("Self pity!"), "stop").correct


@pytest.mark.parametrize(("answer", "confidence", "term"), [("awe", "0.7", -0.09), ("fear", "0.7", -0.49)])
def test_brier(answer, confidence, term):
    composition = Composition.from_config(preset("paper", "brier"))
    terms = composition.score(sample(), response(answer, confidence), "stop").terms
    assert terms["confidence"] == pytest.approx(term, rel=1e-12)


@pytest.mark.parametrize(("invalid", "value"), [("worst", -1.0), ("zero", 0.0), (-7.5, -7.5)])
def test_the_value_of_an_invalid_confidence_is_explicit(invalid, value):
    config = RewardConfig.model_validate({"confidence": {"rule": "brier", "weight": 2, "invalid": invalid}})
    composition = Composition.from_config(config)
    assert composition.score(sample(), response("awe", "high"), "stop").terms["confidence"] == 2 * value
    assert composition.worst_total == 2 * min(-1.0, value)


def test_weights_clip_and_a_flat_total_for_malformed_responses():
    config = RewardConfig.model_validate(
        {
            "format": {"weight": 0.5},
            "correctness": {"weight": 3},
            "confidence": {"params": {"clip": 0.1}},
            "malformed_total": -2,
        }
    )
    composition = Composition.from_config(config)
    terms = composition.score(sample(), response("awe", "0.99"), "stop").terms
    assert terms == {"format": 0.5, "correctness": 3.0, "confidence": math.log(0.9), "malformed": 0.0}
    malformed = composition.score(sample(), "so: " + response(), "stop")
    assert malformed.terms == {"format": 0.0, "correctness": 0.0, "confidence": 0.0, "malformed": -2.0}
    assert (malformed.total, malformed.correct, malformed.well_formed) == (-2.0, True, False)


def test_worst_totals():
    assert PAPER.worst_total == math.log(0.001)
    assert Composition.from_config(preset("paper", "brier")).worst_total == -1.0
    assert OFFICIAL.worst_total == -math.inf


def test_a_worst_value_must_be_declared_and_finite():
    unclipped = RewardConfig.model_validate({"confidence": {"params": {"clip": 0}}})
    with pytest.raises(RewardError, match="loglik has no finite worst value with these parameters"):
        Composition.from_config(unclipped)

    @reward("test-composition-undeclared")
    def undeclared(x: RewardInput) -> float:
        return 0.0

    config = preset("paper", "test-composition-undeclared")
    with pytest.raises(RewardError, match=r"test-composition-undeclared declares no worst value.*invalid to a number"):
        Composition.from_config(config)


def test_a_total_that_is_not_finite_is_masked():
    config = RewardConfig.model_validate({"confidence": {"invalid": -10, "params": {"clip": 0.0}}})
    rewarded = Composition.from_config(config).score(sample(), response("fear", "1"), "stop")
    assert (rewarded.total, rewarded.masked) == (-math.inf, "non-finite")
    off = config.model_copy(update={"confidence": config.confidence.model_copy(update={"weight": 0.0})})
    assert Composition.from_config(off).score(sample(), response("fear", "1"), "stop").total == 1.0


def test_what_a_plugin_raises_propagates():
    @reward("test-composition-raises", worst=0.0)
    def raises(x: RewardInput) -> float:
        return 1 / len(x.sample.system)

    composition = Composition.from_config(preset("paper", "test-composition-raises"))
    with pytest.raises(ZeroDivisionError):
        composition.score(sample(), response(), "stop")


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"format": {"rule": "formatt"}}, "reward.format.rule"),
        ({"correctness": {"params": {"clip": 1}}}, "reward.correctness.params.clip"),
        ({"confidence": {"params": {"clip": 0.5}}}, "reward.confidence.params.clip"),
    ],
)
def test_errors_name_the_config_key(config, key):
    with pytest.raises(RewardError) as caught:
        Composition.from_config(RewardConfig.model_validate(config))
    assert caught.value.key == key
