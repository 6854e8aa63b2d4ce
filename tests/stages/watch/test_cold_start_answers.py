from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages.prompt_order import prompt_order
from emocal_rl.stages.watch import cold_start_answers

PROMPTS = [Sample(f"s{i}", ("/a.png",), "Which?", ("awe", "fear"), "awe", "FI-8") for i in range(8)]


def test_only_what_the_run_comes_to_is_asked_once_greedily(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    journals: set[str] = set()

    def evaluate(_: object, samples: Any, sampling: Any, *__: object, name: str, journal: Path) -> Any:
        assert (sampling.temperature, sampling.num_responses, name) == (0.0, 1, "cold_start_answers")
        assert journal.parent == tmp_path / "eval"
        journals.add(journal.name)
        asked.append([sample.id for sample in samples])
        answers = {sample: f"<answer>{'fear' if sample.id == 's3' else 'Awe.'}</answer>" for sample in samples}
        return SimpleNamespace(predictions=tuple(Prediction.of(sample, response=answers[sample]) for sample in samples))

    monkeypatch.setattr(cold_start_answers, "evaluate", evaluate)
    config = resolve_config(None, sets=["calibration.prompts_per_step=2", "calibration.num_mini_batches=2"])

    def ask(num_steps: int, *, config: Any = config) -> frozenset[str] | None:
        return cold_start_answers.samples_answered_right(
            config, None, PROMPTS, num_steps, tmp_path, tmp_path / "eval", SilentProgress()  # type: ignore[arg-type]
        )  # fmt: skip

    assert ask(0) == frozenset()
    first = {PROMPTS[index].id for step in (1, 2) for index in prompt_order(8, 2, step, config.run.seed)}
    assert ask(2) == first - {"s3"}
    assert ask(2) == first - {"s3"}
    assert ask(9) == {sample.id for sample in PROMPTS} - {"s3"}
    assert [sorted(ids) for ids in asked] == [sorted(first), sorted({sample.id for sample in PROMPTS} - first)]
    assert len(journals) == 2
    off = resolve_config(None, sets=["alarms.cold_start_answers=false"])
    assert ask(2, config=off) is None
