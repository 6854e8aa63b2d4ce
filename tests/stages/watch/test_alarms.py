"""Each alarm sounds in a scripted run made to provoke it, alone, and none in a healthy one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from emocal_rl.platform.config.alarms import AlarmsConfig
from emocal_rl.platform.responses.grammar import render_response
from emocal_rl.stages.watch.alarms import RULES, kl_blow_up, overconfidence_drift, sounding

TURN = 25
"""The step at which a policy goes astray."""
PARTS = ("element", "human", "context", "interaction", "analysis")
WORDS = ("low", "grey", "ground", "bent", "mouth", "warm", "cold", "face", "light", "open", "quiet", "before")


def respond(rng: np.random.Generator, *, right: bool, confidence: float | None) -> str:
    parts = {part: " ".join(WORDS[i : i + 4]) for part, i in zip(PARTS, rng.integers(0, 9, 5), strict=True)}
    stated = None if confidence is None else f"{min(max(confidence, 0.01), 0.99):.2f}"
    return render_response(parts, "awe" if right else "fear", stated)


def honest(_: int, rng: np.random.Generator) -> str:
    """Right with a probability it states, give or take .05."""
    p = rng.uniform(0.2, 0.95)
    return respond(rng, right=rng.random() < p, confidence=p + rng.normal(0, 0.05))


def sharper(step: int, rng: np.random.Generator) -> str:
    """A healthy course: at first overconfident by .2 and often malformed, then ever better, with a tenth decoy-like."""
    p, early = rng.uniform(0.2, 0.95), max(0.0, 1 - step / TURN)
    stated = p + 0.2 * early + rng.normal(0, 0.05)
    if rng.random() < 0.3 * early:
        return respond(rng, right=True, confidence=None)
    if rng.random() < 0.1:
        return respond(rng, right=False, confidence=0.05)
    return respond(rng, right=rng.random() < p, confidence=stated)


def one_for_all(step: int, rng: np.random.Generator) -> str:
    p = rng.uniform(0.2, 0.95)
    return respond(rng, right=rng.random() < p, confidence=p if step < TURN else 0.58)


def polarised(step: int, rng: np.random.Generator) -> str:
    p = rng.uniform(0.2, 0.95)
    pole = 0.99 if rng.random() < p else 0.15  # below 0.1 half of the decoy's rule would hold
    return respond(rng, right=rng.random() < p, confidence=p if step < TURN else pole)


def overconfident(step: int, rng: np.random.Generator) -> str:
    p = rng.uniform(0.2, 0.95)
    return respond(rng, right=rng.random() < p, confidence=p + 0.02 * max(0, step - TURN) + rng.normal(0, 0.05))


def deceptive(step: int, rng: np.random.Generator) -> str:
    decoys = step >= TURN and rng.random() < 0.5
    return respond(rng, right=False, confidence=rng.uniform(0, 0.095)) if decoys else honest(step, rng)


def evasive(step: int, rng: np.random.Generator) -> str:
    return honest(step, rng).replace("</think>", "") if step >= TURN and rng.random() < 0.3 else honest(step, rng)


def looping(step: int, rng: np.random.Generator) -> str:
    response = honest(step, rng)
    if step < TURN or rng.random() > 0.3:
        return response
    return response.replace("</analysis>", " warm and grey" * 100 + "</analysis>")


@pytest.mark.parametrize("policy", [honest, sharper])
def test_no_alarm_sounds_in_a_healthy_run(scripted_run: Callable[..., Any], policy: Any) -> None:
    told = scripted_run(policy, kl=lambda step: 0.4 * step / 54)
    assert told.alarms == {}
    assert len(told.rows) == 54


@pytest.mark.parametrize(
    ("alarm", "policy", "kl"),
    [
        ("confidence-collapse", one_for_all, 0.02),
        ("confidence-collapse", polarised, 0.02),
        ("overconfidence-drift", overconfident, 0.02),
        ("decoy", deceptive, 0.02),
        ("format-exit", evasive, 0.02),
        ("kl-blow-up", honest, 3.0),
        ("degenerate-repetition", looping, 0.02),
    ],
)
def test_an_alarm_sounds_where_it_is_provoked_and_no_other(
    scripted_run: Callable[..., Any], alarm: str, policy: Any, kl: float
) -> None:
    told = scripted_run(policy, kl=lambda step: kl if step >= TURN else 0.02)
    assert set(told.alarms) == {alarm}
    assert TURN < told.alarms[alarm] < TURN + 30


def test_every_alarm_of_the_configuration_has_a_rule_that_is_written_down() -> None:
    from typing import get_args

    from emocal_rl.platform.config.alarms import AlarmName

    assert set(RULES) == set(get_args(AlarmName))
    assert all(rule.__doc__ for rule in RULES.values())
    documented = " ".join(field.description or "" for field in AlarmsConfig.model_fields.values())
    assert all(f"{alarm}:" in documented for alarm in RULES)


def test_limits_are_crossed_not_touched_and_windows_are_full() -> None:
    config = AlarmsConfig(short_window=2, kl_limit=1.0)
    assert kl_blow_up([{"loss/kl": 9.0}], config) is None
    assert kl_blow_up([{"loss/kl": 0.5}, {"loss/kl": 1.5}], config) is None
    found = kl_blow_up([{"loss/kl": 0.0}, {"loss/kl": 0.6}, {"loss/kl": None}, {"loss/kl": 1.5}], config)
    assert found == "KL to the reference 1.05 nats a token over the last 2 steps (limit 1)"
    assert kl_blow_up([{"loss/kl": value} for value in (np.inf, 0.0, 0.5, 0.5)], config) is None


def test_overconfidence_is_an_alarm_only_where_it_has_grown() -> None:
    config = AlarmsConfig(window=2, overconfidence_gap=0.1)

    def rows(*gaps: float) -> list[dict[str, float]]:
        return [{"rollout/mean_confidence": 0.5 + gap, "rollout/accuracy": 0.5} for gap in gaps]

    assert overconfidence_drift(rows(0.3, 0.3, 0.3), config) is None
    assert overconfidence_drift(rows(-0.2, -0.2, 0.0, 0.0), config) is None
    found = overconfidence_drift(rows(0.3, 0.0, 0.0, 0.2, 0.3), config)
    assert found == (
        "mean confidence 0.750 against accuracy 0.500 over the last 2 steps: +0.250 (limit 0.1), +0.000 at best before"
    )
    assert list(sounding(rows(0.0, 0.0, 0.3, 0.3), config)) == ["overconfidence-drift"]
