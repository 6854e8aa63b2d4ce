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


@pytest.mark.parametrize(
    ("gate", "right", "wrong", "malformed_right", "malformed_wrong"),
    [
        ("none", -0.04, -0.64, -0.04, -0.64),
        ("format", -0.04, -0.64, 0.0, 0.0),
        ("correctness", -0.04, 0.0, -0.04, 0.0),
        ("both", -0.04, 0.0, 0.0, 0.0),
    ],
)
def test_a_closed_gate_makes_the_confidence_term_zero(gate, right, wrong, malformed_right, malformed_wrong):
    config = RewardConfig.model_validate({"confidence": {"rule": "brier", "gate": gate}})
    composition = Composition.from_config(config)

    def term(prefix, answer):
        return composition.score(sample(), prefix + response(answer, "0.8"), "stop").terms["confidence"]

    values = [term("", "awe"), term("", "fear"), term("so: ", "awe"), term("so: ", "fear")]
    assert values == pytest.approx([right, wrong, malformed_right, malformed_wrong], abs=1e-12)


def test_a_gated_correctness_term_needs_the_format():
    composition = Composition.from_config(RewardConfig.model_validate({"correctness": {"gate": "format"}}))
    assert composition.score(sample(), response(), "stop").terms["correctness"] == 1.0
    assert composition.score(sample(), response(), "length").terms["correctness"] == 0.0


def test_the_offset_is_added_before_the_weight_also_to_the_worst_value():
    config = RewardConfig.model_validate({"confidence": {"rule": "brier", "weight": 3, "offset": 0.5}})
    composition = Composition.from_config(config)
    assert composition.score(sample(), response("awe", "0.8"), "stop").terms["confidence"] == pytest.approx(3 * 0.46)
    assert composition.score(sample(), response("awe", "high"), "stop").terms["confidence"] == pytest.approx(-1.5)
    assert composition.worst_total == -1.5


def test_an_invalid_confidence_can_be_masked_where_it_counts():
    config = RewardConfig.model_validate({"confidence": {"rule": "brier", "invalid": "mask", "gate": "format"}})
    composition = Composition.from_config(config)
    assert composition.score(sample(), response("awe", "85%"), "stop").masked == "invalid confidence: percent"
    assert composition.score(sample(), response("awe", "0.85"), "stop").masked is None
    assert composition.score(sample(), response("awe", None), "stop").masked is None  # the gate is closed
    assert composition.worst_total == -1.0


def test_an_invalid_confidence_can_be_read_as_a_stated_one():
    config = RewardConfig.model_validate({"confidence": {"rule": "brier", "invalid_as": 0.5}})
    rewarded = Composition.from_config(config).score(sample(), response("awe", "high"), "stop")
    assert (rewarded.terms["confidence"], rewarded.confidence) == (-0.25, None)


@pytest.mark.parametrize(
    ("well_formed", "verdicts"),
    [
        ("grammar", [True, True, False, False]),
        ("grammar-and-confidence", [True, False, False, False]),
        ("answer-and-confidence", [True, False, True, False]),
    ],
)
def test_what_counts_as_well_formed(well_formed, verdicts):
    composition = Composition.from_config(RewardConfig.model_validate({"well_formed": well_formed}))
    texts = [response("awe", "0.8"), response("awe", "high"), REORDERED, "<confidence>0.5</confidence>"]
    assert [composition.score(sample(), text, "stop").well_formed for text in texts] == verdicts
    assert not composition.score(sample(), texts[0], "length").well_formed


def test_values_that_are_known_are_not_asked_for():
    composition = Composition.from_config(preset("rlcr"))
    read = composition.read(sample(), response("awe", "0.8"), "stop")
    assert composition.asks("confidence", read) is read
    assert composition.judge(read, {"confidence": -0.5}).terms["confidence"] == 0.25
    assert composition.asks("confidence", composition.read(sample(), "", "stop")) is None
