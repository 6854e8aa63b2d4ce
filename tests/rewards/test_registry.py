from importlib.metadata import EntryPoint
from typing import Annotated, Literal

import pytest
from pydantic import Field

from emocal_rl.platform.contracts import ParsedResponse, Sample
from emocal_rl.platform.errors import RewardError
from emocal_rl.rewards import registry
from emocal_rl.rewards.parameters import type_name
from emocal_rl.rewards.registry import RewardInput, known_rules, resolve_rule, reward

INPUT = RewardInput(
    Sample("s", (), "Q?", ("awe",), "awe", "FI-8"), "text", ParsedResponse({}, "awe", 0.8, None, True), True, "stop"
)


@reward("test-scaled", worst=lambda scale, **_: -scale)
def scaled(
    x: RewardInput,
    *,
    scale: Annotated[float, Field(gt=0, le=10)],
    offset: int = 0,
    mode: str = "plain",
    on: bool = True,
) -> float:
    """Scale times correct.

    More about it.
    """
    return scale * x.correct + offset


def test_a_rule_is_called_with_its_validated_parameters():
    rule = resolve_rule("test-scaled", {"scale": 3, "offset": 1})
    assert rule(INPUT) == 4.0
    assert rule.worst == -3.0
    assert rule.params == {"scale": 3.0, "offset": 1, "mode": "plain", "on": True}
    assert rule.rule.summary == "Scale times correct."


@pytest.mark.parametrize(
    ("params", "key", "message"),
    [
        ({}, "reward.params.scale", "Field required"),
        ({"scale": 0}, "reward.params.scale", "greater than 0"),
        ({"scale": 11.0}, "reward.params.scale", "less than or equal to 10"),
        ({"scale": "3"}, "reward.params.scale", "valid number"),
        ({"scale": True}, "reward.params.scale", "valid number"),
        ({"scale": float("nan")}, "reward.params.scale", "finite number|greater than 0"),
        ({"scale": 1, "offset": 0.5}, "reward.params.offset", "valid integer"),
        ({"scale": 1, "mode": 1}, "reward.params.mode", "valid string"),
        ({"scale": 1, "on": 1}, "reward.params.on", "valid boolean"),
        ({"scale": 1, "ofset": 1}, "reward.params.ofset", r"unknown parameter.*Did you mean 'offset'\?"),
    ],
)
def test_parameters_are_validated_when_the_rule_is_resolved(params, key, message):
    with pytest.raises(RewardError, match=message) as caught:
        resolve_rule("test-scaled", params)
    assert caught.value.key == key
    assert caught.value.fix


def test_a_parameter_may_be_one_of_some_values(monkeypatch):
    def rule(x: RewardInput, *, when: Annotated[Literal["always", "never"], Field()] = "always", by: Literal[1, 2] = 1):
        return float(by if when == "always" else 0)

    monkeypatch.setattr(registry, "load_function", lambda *_, **__: rule)
    assert resolve_rule("m:rule", {"by": 2})(INPUT) == 2.0
    assert resolve_rule("m:rule", {"when": "never"})(INPUT) == 0.0
    with pytest.raises(RewardError, match=r"reward.params.when = 'often': Input should be 'always' or 'never'"):
        resolve_rule("m:rule", {"when": "often"})
    assert type_name(Annotated[Literal["always", "never"], Field()]) == "'always' | 'never'"


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(RewardError, match=r"reward.rule = 'loglikk': unknown reward.*Did you mean 'loglik'\?"):
        resolve_rule("loglikk", {})


def test_a_name_belongs_to_one_function():
    for name in ("loglik", "test-scaled"):
        with pytest.raises(RewardError, match=f"@reward = '{name}': is the name of"):
            reward(name)(no_argument)


def no_argument() -> float:
    return 0.0


def two_arguments(x: RewardInput, y: float) -> float:
    return 0.0


def any_keyword(x: RewardInput, **params: float) -> float:
    return 0.0


def unannotated(x: RewardInput, *, clip=1.0) -> float:
    return 0.0


def a_list(x: RewardInput, *, bins: list[float]) -> float:
    return 0.0


class NotAFunction:
    def __call__(self, _: RewardInput) -> float:
        return 0.0


def unresolvable(x: "Nowhere", *, clip: float = 1.0) -> float:  # noqa: F821
    return 0.0


SHAPES = [no_argument, two_arguments, any_keyword, unannotated, a_list, NotAFunction, unresolvable]


@pytest.mark.parametrize("function", SHAPES, ids=lambda function: function.__name__)
def test_a_function_of_another_shape_is_refused(function, monkeypatch):
    monkeypatch.setattr(registry, "load_function", lambda *_, **__: function)
    with pytest.raises(RewardError, match=r"must be a function|do not resolve") as caught:
        resolve_rule("anywhere:function", {})
    assert caught.value.fix


def test_entry_points_are_found_by_name_and_do_not_replace_built_in_rules(monkeypatch):
    entries = [
        EntryPoint("installed", "emocal_rl.rewards.brier:brier", registry.ENTRY_POINT_GROUP),
        EntryPoint("loglik", "emocal_rl.rewards.brier:brier", registry.ENTRY_POINT_GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda **_: entries)
    assert resolve_rule("installed", {})(INPUT) == pytest.approx(-0.04)
    assert known_rules()["loglik"] == "emocal_rl.rewards.loglik:loglik"


def test_a_worst_function_that_fails_is_one_error():
    @reward("test-bad-worst", worst=lambda missing: missing)
    def bad_worst(x: RewardInput) -> float:
        return 0.0

    with pytest.raises(RewardError, match=r"@reward = 'test-bad-worst': its `worst` must be a function of the param"):
        _ = resolve_rule("test-bad-worst", {}).worst
