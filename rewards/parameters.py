"""The parameters of a reward rule: its keyword-only arguments, validated by their annotations."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from emocal_rl.platform.errors import RewardError, nearest

_SCALARS = (bool, int, float, str)

REQUIRED: Any = inspect.Parameter.empty
"""Stands for the default of a parameter that has none."""


def parameters_of(function: Callable[..., Any], *, key: str) -> dict[str, tuple[Any, Any]]:
    """Return name to (annotation, default) of a rule's keyword-only arguments.

    Raises:
        RewardError: the function does not have the shape `def rule(x: RewardInput, *, name: type = default) -> float`.
    """
    rule = "must be a function `def rule(x: RewardInput, *, name: float = 1.0) -> float`"
    fix = (
        "Take the RewardInput as the only positional argument and annotate every parameter bool, int, float, str or "
        "a Literal of them, with bounds as Annotated[float, Field(gt=0)]."
    )
    if not inspect.isfunction(function):
        raise RewardError(key, function, rule=rule, fix=fix)
    try:
        annotations = get_type_hints(function, include_extras=True)
    except Exception as error:  # annotations of a user's function may be any expression
        raise RewardError(
            key, function.__qualname__, rule=f"its annotations do not resolve: {error}", fix=fix
        ) from error
    positional, *rest = inspect.signature(function).parameters.values() or (None,)
    if positional is None or positional.kind not in (positional.POSITIONAL_ONLY, positional.POSITIONAL_OR_KEYWORD):
        raise RewardError(key, function.__qualname__, rule=rule, fix=fix)
    for parameter in rest:
        if parameter.kind is not parameter.KEYWORD_ONLY or not _is_scalar(annotations.get(parameter.name)):
            raise RewardError(key, f"{function.__qualname__}({parameter})", rule=rule, fix=fix)
    return {parameter.name: (annotations[parameter.name], parameter.default) for parameter in rest}


def validate_parameters(
    parameters: Mapping[str, tuple[Any, Any]], given: Mapping[str, Any], *, key: str
) -> dict[str, Any]:
    """Return the given parameters completed with the defaults.

    Raises:
        RewardError: an unknown name, a wrong type (nothing is converted, except int to float), or out of bounds.
    """
    for name in given:
        if name not in parameters:
            known = ", ".join(parameters) or "none"
            fix = nearest(name, parameters) or "Remove it."
            raise _parameter_error(key, name, given, f"unknown parameter; the rule takes: {known}", fix)
    fields: dict[str, Any] = {
        name: (annotation, ... if default is REQUIRED else default)
        for name, (annotation, default) in parameters.items()
    }
    config = ConfigDict(strict=True, allow_inf_nan=False, protected_namespaces=())
    model: type[BaseModel] = create_model("Parameters", __config__=config, **fields)
    try:
        return model(**given).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        fix = "Give the parameter a value." if first["type"] == "missing" else "Correct the parameter."
        raise _parameter_error(key, name, given, first["msg"], fix) from error


def type_name(annotation: Any) -> str:
    """Return `float` for `Annotated[float, ...]`, `'a' | 'b'` for `Literal['a', 'b']`."""
    plain = _without_bounds(annotation)
    return " | ".join(map(repr, get_args(plain))) if get_origin(plain) is Literal else str(plain.__name__)


def _parameter_error(key: str, name: str, given: Mapping[str, Any], rule: str, fix: str) -> RewardError:
    return RewardError(f"{key}.{name}", given.get(name), rule=rule, fix=fix)


def _is_scalar(annotation: Any) -> bool:
    plain = _without_bounds(annotation)
    if get_origin(plain) is Literal:
        return all(isinstance(choice, _SCALARS) for choice in get_args(plain))
    return plain in _SCALARS


def _without_bounds(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
