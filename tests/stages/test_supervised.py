import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import pytest

from emocal_rl.actors.learner.examples import SFTItem
from emocal_rl.platform.config.stages import SFTConfig
from emocal_rl.platform.contracts import DemonstrationSample, LossSum, Sample, UpdateStatistics
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages import supervised


@dataclass
class CountingLearner:
    """Remembers what it was shown; the loss falls by one each step."""

    batches: list[list[str]] = field(default_factory=list)
    prepared: list[list[str]] = field(default_factory=list)

    def prepare(self, items: Sequence[SFTItem]) -> None:
        self.prepared.append([item.demonstration.sample.id for item in items])

    def sft_step(self, items: Sequence[SFTItem], max_length: int) -> UpdateStatistics:
        assert max_length == 64
        self.batches.append([item.demonstration.sample.id for item in items])
        return UpdateStatistics(100.0 - len(self.batches), 1.0, 0.1, 1, extra={"dropped": 0.5})


class NoImages:
    def references(self, sample: Sample) -> tuple[object, ...]:
        return (f"image of {sample.id}",)


def run(seed: int = 0, start_step: int = 0) -> tuple[CountingLearner, dict[str, float]]:
    demonstrations = [
        DemonstrationSample(Sample(str(i), (), "?", ("awe", "fear"), "awe", "FI-8"), "text") for i in range(10)
    ]
    learner = CountingLearner()
    config = SFTConfig(epochs=2, batch_size=4, max_length=64)
    measured = supervised.run(
        "test", config, learner, demonstrations, NoImages(), SilentProgress(),  # type: ignore[arg-type]
        seed=seed, start_step=start_step,
    )  # fmt: skip
    return learner, measured


def test_every_epoch_shows_each_demonstration_once_in_an_order_of_its_own() -> None:
    learner, _ = run()
    assert [len(batch) for batch in learner.batches] == [4, 4, 2, 4, 4, 2]
    first, second = list(chain(*learner.batches[:3])), list(chain(*learner.batches[3:]))
    assert sorted(first) == sorted(second) == [str(i) for i in range(10)]
    assert first != second


def test_the_order_is_a_function_of_the_seed() -> None:
    assert run(seed=1)[0].batches == run(seed=1)[0].batches
    assert run(seed=1)[0].batches != run(seed=2)[0].batches


def test_reports_the_last_losses_and_what_was_dropped() -> None:
    _, measured = run()
    assert measured == {"loss": pytest.approx(94.0), "dropped": pytest.approx(3.0)}


def test_the_last_smaller_batch_counts_as_an_update() -> None:
    assert supervised.num_updates(SFTConfig(epochs=2, batch_size=4), 10) == 6


@pytest.mark.parametrize("start_step", [1, 3, 5, 6])
def test_a_resumed_stage_goes_on_with_the_very_batches_that_are_left(start_step: int) -> None:
    assert run(start_step=start_step)[0].batches == run()[0].batches[start_step:]


def test_the_next_batch_is_prepared_before_a_batch_trains() -> None:
    learner, _ = run()
    assert learner.prepared == learner.batches[1:]


def test_evaluation_loss_is_the_mean_over_tokens_not_over_batches() -> None:
    class Losses:
        def sft_loss(self, items: Sequence[SFTItem], max_length: int) -> LossSum:
            assert max_length == 64
            return LossSum(6.0, 2) if len(items) == 2 else LossSum(1.0, 5)

    demonstrations = [DemonstrationSample(Sample(str(i), (), "?", (), "awe", "FI-8"), "text") for i in range(3)]
    config = SFTConfig(batch_size=2, max_length=64)
    assert supervised.evaluate(config, Losses(), demonstrations, NoImages()) == 1.0  # type: ignore[arg-type]
    assert math.isnan(supervised.evaluate(config, Losses(), [], NoImages()))  # type: ignore[arg-type]
