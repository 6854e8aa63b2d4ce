from dataclasses import dataclass

from emocal_rl.platform.errors import RewardError
from emocal_rl.rewards.parameters import REQUIRED, parameters_of, type_name
from emocal_rl.rewards.registry import ResolvedRule, find_rule, known_rules

Default = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class ParameterDescription:
    """One parameter of a rule; `default` is None where a value must be given."""

    name: str
    type: str
    default: Default


@dataclass(frozen=True, slots=True)
class RewardDescription:
    """One line of `emocal-rl rewards list`.

    `worst` is the lowest value with default parameters, None if not declared. `problem` says why an installed plug-in
    cannot be loaded.
    """

    name: str
    source: str
    summary: str
    parameters: tuple[ParameterDescription, ...]
    worst: float | None
    problem: str | None = None


def describe_rewards() -> tuple[RewardDescription, ...]:
    """Describe every reward that can be named, by name; a plug-in that cannot be loaded is described by its problem."""
    return tuple(_describe(name, source) for name, source in sorted(known_rules().items()))


def _describe(name: str, source: str) -> RewardDescription:
    try:
        rule = find_rule(name, key=name)
        parameters = parameters_of(rule.function, key=name)
        defaults = {parameter: default for parameter, (_, default) in parameters.items() if default is not REQUIRED}
        worst = ResolvedRule(rule, defaults).worst if defaults.keys() == parameters.keys() else None
    except RewardError as error:
        return RewardDescription(name, source, "", (), None, problem=str(error))
    described = tuple(
        ParameterDescription(parameter, type_name(annotation), defaults.get(parameter))
        for parameter, (annotation, _) in parameters.items()
    )
    return RewardDescription(name, source, rule.summary, described, worst)
