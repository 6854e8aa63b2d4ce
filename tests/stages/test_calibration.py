"""The loop of stage 3 with made-up roles: who is given what, in one process."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from emocal_rl.actors.stateless_pool import StatelessPool
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.contracts import Response, RewardedResponse, RolloutGroup, Sample, ScoredGroup
from emocal_rl.platform.errors import DataError, RewardError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.rewards.advantages import group_advantages
from emocal_rl.stages import calibration
from emocal_rl.stages.recorder import Recorder

TOTALS = {"a": (1.0, 3.0), "b": (0.0, 6.0)}


class Local:
    """A method that is called at once, as if it were an actor's."""

    def __init__(self, function: Any) -> None:
        self.remote = function


class Rollouts:
    def __init__(self, too_long: str) -> None:
        self._too_long = too_long

    def stream(self, requests: list[Any], refused: Any) -> Any:
        for index, request in enumerate(requests):
            if request.sample.id in self._too_long:
                refused(index, DataError(f"rows:{request.sample.id}", rule="is too long"))
                continue
            tokens = np.arange(2, dtype=np.int32)
            responses = tuple(Response("x", tokens, -tokens.astype(np.float32), "stop", 0) for _ in range(2))
            yield index, RolloutGroup(request.sample, (), tokens, responses)


class Learner:
    weight_version = 1

    def __init__(self) -> None:
        self.batches: list[Any] = []

    def update(self, batch: list[Any], old: object) -> None:  # noqa: ARG002
        self.batches.append(batch)

    def merge(self, updates: object) -> dict[str, float]:  # noqa: ARG002
        return {}


@dataclass
class Told:
    """What a run tells of itself."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    saved: list[int] = field(default_factory=list)

    def event(self, name: str, message: str) -> None:
        self.events.append((name, message))

    def message(self, text: str) -> None:
        self.messages.append(text)


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Run steps of two prompts; return what the learner and the reward worker were given.

    Prompts named in `too_long` cannot be sampled; from step `broken_from` on the reward fails; `told` is told.
    """
    fake_ray = SimpleNamespace(
        get=lambda value: value, wait=lambda *_, **__: None, cluster_resources=dict, put=lambda value: value
    )
    monkeypatch.setattr(calibration, "ray", fake_ray)
    monkeypatch.setattr(calibration, "check_parity", lambda *_, **__: 0.0)

    def run_step(
        *sets: str, num_steps: int = 1, too_long: str = "", broken_from: int = 99, told: Told | None = None
    ) -> tuple[list[ScoredGroup], list[Any]]:
        told = told or Told()
        sizes = ["calibration.prompts_per_step=2", "calibration.group_size=2", f"calibration.num_steps={num_steps}"]
        config = resolve_config(None, {"run.root": str(tmp_path), "advantage.normalize": True}, [*sizes, *sets])
        asked: list[Any] = []

        def score(*arguments: Any) -> ScoredGroup:
            asked.append(arguments)
            group = arguments[0]
            totals = TOTALS[group.sample.id]
            masked = "error: OSError: no disk" if len(asked) > 2 * (broken_from - 1) else None
            rewarded = tuple(RewardedResponse({}, total, True, 0.5, True, "awe", masked) for total in totals)
            advantages = group_advantages(totals, (False, False), config.advantage).values
            return ScoredGroup(
                group.sample.id, "t", rewarded, advantages, (2, 2), 2, (0, 0), ("stop", "stop"), ("x", "x")
            )

        learner = Learner()
        roles = calibration.Roles(
            rollouts=Rollouts(too_long),  # type: ignore[arg-type]
            learner=learner,  # type: ignore[arg-type]
            weight_sync=SimpleNamespace(push=lambda: None),  # type: ignore[arg-type]
            rewards=StatelessPool([SimpleNamespace(score=Local(score))], "score"),
            reference=StatelessPool(
                [SimpleNamespace(logprobs=Local(lambda group: f"of {group.sample.id}"))], "logprobs"
            ),
        )
        prompts = [Sample(name, (), "?", ("awe",), "awe", "t") for name in TOTALS]
        recorder = Recorder(told, SimpleNamespace(), told)  # type: ignore[arg-type]
        store = SimpleNamespace(save=lambda step, *_: told.saved.append(step), all=list)
        watch = SimpleNamespace(record=lambda _, __, row: told.rows.append(row))
        with RunDirectory.create(tmp_path, "run") as directory:
            calibration.run(
                config, roles, prompts, lambda _: None, directory, store, recorder, watch, SilentProgress()  # type: ignore[arg-type]
            )  # fmt: skip
        return [scored for _, scored, _ in np.concatenate(learner.batches)], asked

    return run_step


def test_a_prompt_that_is_too_long_costs_itself_alone_and_is_told_once(train: Any) -> None:
    told = Told()
    scored, asked = train("calibration.num_mini_batches=2", num_steps=3, too_long="a", told=told)
    assert [group.sample_id for group in scored] == ["b"] * 3
    assert len(asked) == 3
    assert [row["rollout/refused"] for row in told.rows] == [1.0] * 3
    assert [message for name, message in told.events if name == "refused"] == ["rows:a: is too long."]
    assert told.messages == ["not sampled: rows:a: is too long."]
    with pytest.raises(DataError, match=r"rows:[ab]: is too long"):
        train(too_long="ab")


def test_a_reward_that_fails_on_a_whole_step_ends_the_run_after_a_checkpoint(train: Any) -> None:
    told = Told()
    with pytest.raises(RewardError) as caught:
        train(num_steps=5, broken_from=3, told=told)
    assert str(caught.value).startswith(
        "reward: none of the 4 responses of step 3 has one (reward.format.rule=format, reward.correctness.rule="
        "correctness, reward.confidence.rule=loglik); the first: error: OSError: no disk. Bring up what the rule needs"
    )
    assert told.saved == [2]
    assert len(told.rows) == 2
    with pytest.raises(RewardError, match="step 1"):
        train(num_steps=5, broken_from=1, told=told)
    assert told.saved == [2]  # nothing was trained yet


def test_batch_advantages_wait_for_all_groups_of_the_step(train: Any) -> None:
    scored, _ = train("advantage.estimator=batch", "advantage.epsilon=0")
    std = np.sqrt((1 + 1 + 9 + 9) / 3)
    found = {group.sample_id: group.advantages for group in scored}
    assert found == {"a": pytest.approx((-1 / std, 1 / std)), "b": pytest.approx((-3 / std, 3 / std))}


def test_group_advantages_are_left_alone(train: Any) -> None:
    scored, _ = train("advantage.epsilon=0")
    half = 1 / np.sqrt(2)
    assert all(group.advantages == pytest.approx((-half, half)) for group in scored)


@pytest.mark.parametrize(("placement", "given"), [("loss", False), ("reward", True)])
def test_the_reward_is_given_the_reference_only_where_the_kl_is_its_penalty(
    train: Any, placement: str, given: bool
) -> None:
    _, asked = train(f"loss.kl_placement={placement}")
    for group, *rest in asked:
        assert rest == ([f"of {group.sample.id}"] if given else [])
