import hashlib
import inspect
from pathlib import Path
from typing import Any

from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.registry import SCHEMES, ResolvedRule


def describe_rules(composition: Composition) -> dict[str, dict[str, Any]]:
    """Say by term which rule a composition uses, for the manifest of a run.

    `params` are complete, defaults included. `source` is the file the rule was loaded from and `sha256` its content,
    so that a plug-in that was edited since is known; an HTTP scorer has its URL and no content.
    """
    return {name: {"weight": composition.weights[name], **_describe(rule)} for name, rule in composition.rules.items()}


def _describe(rule: ResolvedRule) -> dict[str, Any]:
    described: dict[str, Any] = {"rule": rule.rule.name, "params": dict(rule.params)}
    source = None if rule.rule.name.startswith(SCHEMES) else inspect.getsourcefile(rule.rule.function)
    if source is None:
        return {**described, "source": rule.rule.name, "sha256": None}
    return {**described, "source": source, "sha256": hashlib.sha256(Path(source).read_bytes()).hexdigest()}
