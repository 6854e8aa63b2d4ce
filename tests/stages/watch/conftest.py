from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from emocal_rl.actors.rollout.scripted import ScriptedEngine
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.contracts import RolloutGroup, RolloutRequest, Sample, SamplingParameters, ScoredGroup
from emocal_rl.rewards.advantages import group_advantages
from emocal_rl.rewards.composition import Composition
from emocal_rl.stages.watch.watch import Watch

NUM_STEPS, PROMPTS, GROUP = 54, 8, 4
LABELS = ("awe", "fear", "anger", "sadness")
Policy = Callable[[int, np.random.Generator], str]
"""(step, random numbers) -> response, of a policy whose prompts all have the label awe."""


@dataclass
class Told:
    """A recorder that remembers the journal's rows."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def metrics(self, kind: str, values: dict[str, Any], *, step: int) -> None:
        self.rows.append({"kind": kind, **values, "step": step})

    def alarm(self, alarm: str, finding: str, *, step: int) -> None:
        self.rows.append({"kind": "event", "name": "alarm", "alarm": alarm, "message": finding, "step": step})

    @property
    def alarms(self) -> dict[str, int]:
        """Alarm -> step at which it was told."""
        told = [row for row in self.rows if row["kind"] == "event"]
        assert len({row["alarm"] for row in told}) == len(told), "an alarm was told twice"
        return {row["alarm"]: row["step"] for row in told}


@pytest.fixture(scope="session")
def scripted_run() -> Callable[..., Told]:
    """Run a scripted policy through grammar, reward and advantages, and watch it; `kl` is the KL by step."""

    def run(policy: Policy, kl: Callable[[int], float] = lambda _: 0.02, num_steps: int = NUM_STEPS) -> Told:
        config, rng, told = resolve_config(), np.random.default_rng(0), Told()
        composition = Composition.from_config(config.reward)
        samples = [Sample(f"s{i}", (), "Which?", LABELS, "awe", ("FI-8", "EmoSet-8")[i % 2]) for i in range(PROMPTS)]
        watch = Watch(config, told, frozenset(f"s{i}" for i in range(PROMPTS)))  # type: ignore[arg-type]

        def score(group: RolloutGroup) -> ScoredGroup:
            rewarded = tuple(composition.score(group.sample, r.text, r.finish_reason) for r in group.responses)
            advantages = group_advantages([r.total for r in rewarded], [False] * GROUP, config.advantage)
            return ScoredGroup(
                group.sample.id, group.sample.task, rewarded, advantages.values,
                tuple(len(r.token_ids) for r in group.responses), 1, texts=tuple(r.text for r in group.responses),
            )  # fmt: skip

        for step in range(1, num_steps + 1):
            engine = ScriptedEngine(lambda _, __, step=step: policy(step, rng))  # type: ignore[misc]
            sampling = SamplingParameters(GROUP, 1.0, 4096)
            groups = engine.generate([RolloutRequest(sample, (), sampling) for sample in samples], step)
            scored = [score(group) for _, group in groups]
            rewarded = [response for group in scored for response in group.rewarded]
            stated = [response.confidence for response in rewarded if response.confidence is not None]
            row = {
                "rollout/accuracy": float(np.mean([response.correct for response in rewarded])),
                "rollout/mean_confidence": float(np.mean(stated)) if stated else None,
                "loss/kl": kl(step),
            }
            assert watch.record(step, scored, row) is None
        return told

    return run
