import math

import pytest

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.config.reward_presets import REWARD_PRESETS
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.responses.grammar import render_response
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.presets import PRESETS, preset

SAMPLE = Sample("s", (), "Q?", ("awe", "fear", "sadness"), "awe", "task")
CONFIDENCES = (0.0, 0.1, 0.5, 0.73, 1.0)


def response(answer="awe", confidence="0.85"):
    return render_response(dict.fromkeys(REASONING_PARTS, "x"), answer, confidence)


def total(name, text, finish="stop"):
    rewarded = Composition.from_config(preset(name)).score(SAMPLE, text, finish)
    assert rewarded.masked is None
    assert rewarded.total == sum(rewarded.terms.values())
    return rewarded.total


def test_every_preset_has_its_values_and_its_line():
    assert list(PRESETS) == list(REWARD_PRESETS)


def test_paper_is_the_default():
    assert preset("paper") == RewardConfig()
    assert preset("paper").confidence.rule == "loglik"


def test_official_sets_what_is_not_given():
    config = RewardConfig(preset="official")
    assert config == preset("official")
    assert (config.protocol, config.malformed_total) == ("official", -5.0)
    assert (config.confidence.weight, config.confidence.params) == (2.0, {"clip": 0.0})
    given = RewardConfig.model_validate(
        {"preset": "official", "malformed_total": -1, "confidence": {"weight": 3, "params": {"clip": 0.01}}}
    )
    assert (given.malformed_total, given.confidence.weight, given.confidence.params) == (-1.0, 3.0, {"clip": 0.01})


def test_another_confidence_rule_leaves_the_presets_parameters_and_offset_behind():
    config = preset("official", "brier")
    assert (config.confidence.rule, config.confidence.weight, config.confidence.params) == ("brier", 2.0, {})
    config = preset("rlcr", "spherical")
    assert (config.confidence.weight, config.confidence.offset, config.confidence.gate) == (0.5, 0.0, "format")


@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("c", CONFIDENCES)
def test_split_credit_by_value(correct, c):
    expected = 1 + correct - 6 * (correct - c) ** 2
    assert total("split-credit", response("awe" if correct else "fear", str(c))) == pytest.approx(expected, rel=1e-12)


def test_no_confidence_costs_split_credit_no_more_than_a_wrong_answer_stated_for_certain():
    assert total("split-credit", response("fear", "1")) == -5.0
    assert (total("split-credit", response("awe", "85%")), total("split-credit", response("awe", None))) == (-4.0, -5.0)
    assert total("split-credit", "") == -6.0


@pytest.mark.parametrize(("p", "times"), [(0.5, 3.0), (0.908, 1.0)])
def test_split_credit_is_as_sharp_as_the_log_score_where_that_is_sharp(p, times):
    def expected(name, c):  # of an answer that is right with probability p
        right, wrong = (total(name, response(answer, str(c))) for answer in ("awe", "fear"))
        return p * right + (1 - p) * wrong

    split, paper = (
        2 * expected(name, p) - expected(name, p + 0.001) - expected(name, p - 0.001)
        for name in ("split-credit", "paper")
    )
    assert split == pytest.approx(times * paper, rel=1e-2)


@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("c", CONFIDENCES)
def test_rlcr_by_value(correct, c):
    expected = 0.5 + 0.5 * correct + 0.5 * (1 - (correct - c) ** 2)
    assert total("rlcr", response("awe" if correct else "fear", str(c))) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("text", ["", "so: " + response(), response("awe", "85%"), response("awe", None)])
def test_rlcr_gives_nothing_without_the_format_and_a_number_between_0_and_1(text):
    assert total("rlcr", text) == 0.0


def test_rlcr_reads_the_last_of_repeated_tags():
    twice = response("fear", "0.2") + "\n<answer>awe</answer><confidence>0.9</confidence>"
    assert total("rlcr", twice) == pytest.approx(0.5 + 0.5 + 0.5 * (1 - 0.1**2), rel=1e-12)
    changed_mind = response("awe", "0.9") + "<confidence>85%</confidence>"
    assert total("rlcr", changed_mind) == 0.0
    assert total("paper", twice) == pytest.approx(math.log(0.001))  # elsewhere a repeated tag breaks the format
    rewarded = Composition.from_config(preset("rlcr")).score(SAMPLE, twice, "stop")
    assert (rewarded.answer, rewarded.confidence, rewarded.well_formed) == ("awe", 0.9, True)


@pytest.mark.parametrize(
    ("correct", "c", "value"),
    [  # 10 ((s - m) / (M - m) + y / 4), worked out by hand from m = -3.453877639491069, M = -0.0010005003335835344
        (True, 1.0, 12.5),
        (True, 0.5, 10.495449),
        (True, 0.0, -7.502898),
        (False, 0.0, 10.0),
        (False, 0.1, 9.697759),
        (False, 1.0, -10.002898),
    ],
)
def test_rewarding_doubt_by_value(correct, c, value):
    assert total("rewarding-doubt", response("awe" if correct else "fear", str(c))) == pytest.approx(value, abs=1e-6)


def test_rewarding_doubt_by_formula():
    lowest, highest = -6.907755278982137 / 2, -0.0010005003335835344
    for correct in (True, False):
        for c in CONFIDENCES:
            clipped = min(0.999, max(0.001, c))
            score = (math.log(clipped if correct else 1 - clipped) - lowest) / (highest - lowest)
            expected = 10 * (score + 0.25 * correct)
            text = response("awe" if correct else "fear", str(c))
            assert total("rewarding-doubt", text) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (response("awe", "high"), -30.0),
        (response("awe", "1.2"), -30.0),
        (response("awe", None), -30.0),
        ("<confidence>0.5</confidence>", -30.0),
        ("", -30.0),
        ("I say <answer>awe</answer>, <confidence>1</confidence>", 12.5),  # only what is judged must be there
    ],
)
def test_rewarding_doubt_punishes_only_what_it_cannot_read(text, value):
    assert total("rewarding-doubt", text) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("c", CONFIDENCES)
def test_sayself_by_value(correct, c):
    expected = 2 * (0.5 - (correct - c) ** 2)
    text = f"<answer>{'awe' if correct else 'fear'}</answer><confidence>{c}</confidence>"
    assert total("sayself", text) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("answer", "value"), [("awe", -1.0), ("fear", 1.0)])
def test_sayself_reads_no_confidence_as_zero(answer, value):
    assert total("sayself", response(answer, "high")) == value
    assert total("sayself", f"<answer>{answer}</answer>") == value


@pytest.mark.parametrize(
    ("name", "worst"),
    [("split-credit", -6.0), ("rlcr", 0.0), ("rewarding-doubt", -30.0), ("sayself", -1.0), ("official", -math.inf)],
)
def test_worst_totals(name, worst):
    assert Composition.from_config(preset(name)).worst_total == worst


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("rule", [None, "brier", "spherical"])
def test_a_written_preset_is_read_back(name, rule):
    config = preset(name, rule)
    assert RewardConfig.model_validate(config.model_dump()) == config
    assert RewardConfig(**{field: getattr(config, field) for field in RewardConfig.model_fields}) == config


def test_the_official_reading_has_its_own_format():
    with pytest.raises(ValueError, match="must be grammar where reward"):
        RewardConfig.model_validate({"preset": "official", "well_formed": "answer-and-confidence"})
    with pytest.raises(ValueError, match="must be malformed where reward"):
        RewardConfig.model_validate({"preset": "official", "repeated": "last-wins"})
