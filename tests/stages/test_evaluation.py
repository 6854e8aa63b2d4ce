from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emocal_rl.platform.contracts import Sample, SamplingParameters
from emocal_rl.platform.errors import DataError, RunError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages import evaluation
from emocal_rl.stages.evaluation import Evaluation, answers_so_far, evaluate

SAMPLES = [
    Sample(f"s{index}", ("/a.png",), "Which?", ("awe", "fear"), "awe" if index % 3 else "fear", "FI-8")
    for index in range(600)
]
SAMPLING = SamplingParameters(1, 1.0, 64, seed=3)


class Rollouts:
    """Two workers in this process; they die for good before answer number `dies_at`, and refuse the `too_long`."""

    workers = (0, 1)

    def __init__(self, dies_at: int = 10_000, too_long: Sequence[str] = ()) -> None:
        self.dies_at, self.asked, self.too_long = dies_at, list[str](), too_long

    def stream_batches(self, batches: Sequence[Iterator[Mapping[int, Any]]], refused: Any) -> Iterator[tuple[int, Any]]:
        for own in batches:
            for batch in own:
                for index, sample in reversed(batch.items()):
                    if len(self.asked) == self.dies_at:
                        raise KeyboardInterrupt
                    if sample.id in self.too_long:
                        refused(index, DataError(f"rows:{sample.id}", rule="is too long"))
                        continue
                    self.asked.append(sample.id)
                    text = f"<answer>awe</answer><confidence>0.{int(sample.id[1:]) % 10}</confidence>"
                    yield index, SimpleNamespace(responses=[SimpleNamespace(text=text)])


@pytest.fixture(autouse=True)
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "ray", SimpleNamespace(get=lambda ref: ref))


def ask(rollouts: Rollouts, journal: Path | None, samples: Sequence[Sample] = SAMPLES) -> Evaluation:
    feed = SimpleNamespace(requests=lambda part, _: list(part))
    return evaluate(
        rollouts, samples, SAMPLING, feed, SilentProgress(), name="before_sampled", journal=journal  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_killed_evaluation_goes_on_behind_its_last_answer(tmp_path: Path) -> None:
    whole, first, second = Rollouts(), Rollouts(dies_at=300), Rollouts()
    expected = ask(whole, None)
    with pytest.raises(KeyboardInterrupt), answers_so_far(tmp_path, "before_sampled") as journal:
        ask(first, journal)
    assert journal.exists()
    with answers_so_far(tmp_path, "before_sampled") as journal:
        assert ask(second, journal).to_dict() == expected.to_dict()
        assert ask(Rollouts(dies_at=0), journal).predictions == expected.predictions
    assert sorted(first.asked + second.asked) == sorted(whole.asked)
    assert not list(tmp_path.iterdir())


def test_answers_to_other_questions_are_refused(tmp_path: Path) -> None:
    ask(Rollouts(), tmp_path / "journal", SAMPLES[:4])
    with pytest.raises(RunError, match="samples was"):
        ask(Rollouts(), tmp_path / "journal", SAMPLES[:5])


def test_a_sample_that_cannot_be_asked_is_a_failed_inference(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    predictions = ask(Rollouts(too_long=["s1"]), journal, SAMPLES[:3]).predictions
    assert [(each.id, each.response is None, each.error) for each in predictions] == [
        ("s0", False, None),
        ("s1", True, "rows:s1: is too long."),
        ("s2", False, None),
    ]
    # Asked again, it may fit: it is not in the journal.
    again = ask(second := Rollouts(), journal, SAMPLES[:3]).predictions
    assert (second.asked, again[1].error) == (["s1"], None)


def test_where_none_can_be_asked_something_is_wrong_with_the_settings() -> None:
    with pytest.raises(DataError, match="rows:s0: is too long"):
        ask(Rollouts(too_long=["s0", "s1"]), None, SAMPLES[:2])
