"""Reward rules by name: the built-in ones, those of installed plug-ins, those registered with `@reward`."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, TypeVar

from emocal_rl.platform.contracts import FinishReason, ParsedResponse, Sample
from emocal_rl.platform.errors import RewardError, nearest
from emocal_rl.rewards.parameters import parameters_of, validate_parameters
from emocal_rl.rewards.plugins import load_function

SCHEMES = ("http://", "https://")
"""What the URL of an HTTP scorer starts with."""
ENTRY_POINT_GROUP = "emocal_rl.rewards"
BUILT_IN: Mapping[str, str] = {
    "format": "emocal_rl.rewards.format:format_reward",
    "correctness": "emocal_rl.rewards.correctness:correctness",
    "loglik": "emocal_rl.rewards.loglik:loglik",
    "brier": "emocal_rl.rewards.brier:brier",
    "spherical": "emocal_rl.rewards.spherical:spherical",
    "beta": "emocal_rl.rewards.beta:beta",
}
"""Name to the function's path."""

RuleFunction = Callable[..., float]
Worst = float | Callable[..., float] | None
_Function = TypeVar("_Function", bound=RuleFunction)


@dataclass(frozen=True, slots=True)
class RewardInput:
    """What a rule judges: one response to one sample, read once.

    `parsed.confidence` is never None where the rule stands in the confidence term: the composition has its own value
    for a response without a valid confidence.
    """

    sample: Sample
    text: str
    parsed: ParsedResponse
    correct: bool
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True)
class RewardRule:
    """A rule's function and its lowest possible value: a number, a function of the parameters, or unknown (None).

    `ask_all` takes many responses at once, and has no value (None) for some, where that is cheaper than one by one.
    """

    name: str
    function: RuleFunction
    worst: Worst = None
    ask_all: Callable[..., Sequence[float | None]] | None = None

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


@dataclass(frozen=True, slots=True)
class ResolvedRule:
    """A rule with its validated parameters: call it with a `RewardInput`."""

    rule: RewardRule
    params: Mapping[str, Any]

    def __call__(self, x: RewardInput) -> float:
        """Return the reward; whatever a user's function raises propagates."""
        return float(self.rule.function(x, **self.params))

    @property
    def worst(self) -> float | None:
        """Lowest value under these parameters, or None where the rule declares none.

        Raises:
            RewardError: the rule's `worst` function fails.
        """
        worst = self.rule.worst
        if not callable(worst):
            return worst
        try:
            return float(worst(**self.params))
        except Exception as error:  # a user's function may raise anything
            rule = f"its `worst` must be a function of the parameters: {type(error).__name__}: {error}"
            raise RewardError("@reward", self.rule.name, rule=rule, fix="Correct the rule.") from error


_registered: dict[str, RewardRule] = {}


def reward(name: str, *, worst: Worst = None) -> Callable[[_Function], _Function]:
    """Register `def rule(x: RewardInput, *, parameter: float = 1.0) -> float` under a name.

    Args:
        name: what the config calls it.
        worst: lowest possible value, or a function of the parameters that returns it. The confidence term gives it to
            responses without a valid confidence (`reward.confidence.invalid = worst`).

    Raises:
        RewardError: another function has the name already.
    """

    def register(function: _Function) -> _Function:
        path = f"{function.__module__}:{function.__qualname__}"
        owner = _registered.get(name)
        owner_path = f"{owner.function.__module__}:{owner.function.__qualname__}" if owner else BUILT_IN.get(name, path)
        if owner_path != path:
            raise RewardError("@reward", name, rule=f"is the name of {owner_path}", fix="Choose another name.")
        _registered[name] = RewardRule(name, function, worst)
        return function

    return register


def known_rules() -> dict[str, str]:
    """Return name to function path of every rule that can be named: built in, installed, registered."""
    installed = {entry.name: entry.value for entry in entry_points(group=ENTRY_POINT_GROUP)}
    registered = {
        name: f"{rule.function.__module__}:{rule.function.__qualname__}" for name, rule in _registered.items()
    }
    return {**installed, **registered, **BUILT_IN}


def find_rule(name_or_path: str, *, key: str = "reward") -> RewardRule:
    """Return the rule of a name, `package.module:function`, `path/to/file.py:function` or `http://host/path`.

    Raises:
        RewardError: there is none.
    """
    if name_or_path.startswith(SCHEMES):
        from emocal_rl.rewards.http_scorer import http_rule

        return http_rule(name_or_path, key=key)
    if name_or_path in _registered:
        return _registered[name_or_path]
    known = known_rules()
    if name_or_path not in known and ":" not in name_or_path:
        rule = f"unknown reward; known are {', '.join(known)}"
        fix = nearest(name_or_path, known) or "Give package.module:function or path/to/file.py:function for your own."
        raise RewardError(key, name_or_path, rule=rule, fix=fix)
    function = load_function(known.get(name_or_path, name_or_path), key=key)
    decorated = (rule for rule in _registered.values() if rule.function is function)
    return next(decorated, RewardRule(name_or_path, function))


def resolve_rule(name_or_path: str, params: Mapping[str, Any], *, key: str = "reward") -> ResolvedRule:
    """Find a rule and validate its parameters; `key` is where the config names it (`reward.confidence`).

    Raises:
        RewardError: unknown rule, unloadable plug-in, or a parameter that is unknown, of a wrong type or out of bounds.
    """
    rule = find_rule(name_or_path, key=f"{key}.rule")
    parameters = parameters_of(rule.function, key=f"{key}.rule")
    return ResolvedRule(rule, validate_parameters(parameters, params, key=f"{key}.params"))
