from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from emocal_rl.actors.rollout.scripted import ScriptedEngine
from emocal_rl.platform.config.data import DataConfig
from emocal_rl.platform.contracts import RolloutRequest, Sample, SamplingParameters
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages import evaluation
from emocal_rl.stages.image_feed import ImageFeed

SAMPLES = [Sample(name, (), "?", ("awe", "fear"), "awe", "FI-8") for name in ("short", "long", "other")]
SAMPLING = SamplingParameters(1, 1.0, 4096)


class Rollouts:
    """Answers right at once; samples named in `too_long` it refuses."""

    def __init__(self, *too_long: str) -> None:
        self._too_long = too_long

    def stream(self, requests: Sequence[RolloutRequest], refused: Any) -> Iterator[tuple[int, Any]]:
        for index, request in enumerate(requests):
            if request.sample.id in self._too_long:
                refused(index, DataError(f"rows:{index + 1}", rule="is too long"))
            else:
                (numbered,) = ScriptedEngine().generate([request], 0)
                yield index, numbered[1]


def evaluate(rollouts: Rollouts, monkeypatch: pytest.MonkeyPatch) -> evaluation.Evaluation:
    monkeypatch.setattr(evaluation.ray, "get", lambda ref: ref)
    feed = ImageFeed(DataConfig())
    return evaluation.evaluate(rollouts, SAMPLES, SAMPLING, feed, SilentProgress(), name="x")  # type: ignore[arg-type]


def test_a_sample_that_cannot_be_asked_is_a_failed_inference(monkeypatch: pytest.MonkeyPatch) -> None:
    predictions = evaluate(Rollouts("long"), monkeypatch).predictions
    assert [(each.id, each.response is None, each.error) for each in predictions] == [
        ("short", False, None),
        ("long", True, "rows:2: is too long."),
        ("other", False, None),
    ]


def test_where_none_can_be_asked_something_is_wrong_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="rows:1: is too long"):
        evaluate(Rollouts("short", "long", "other"), monkeypatch)
