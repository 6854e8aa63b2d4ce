"""What an ablation does around its trials, with models, engines and Tune made up."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.cluster.session import RaySession
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages.ablation import job, starting_model
from emocal_rl.stages.ablation.job import AblationJob
from emocal_rl.stages.ablation.prediction import Prediction

CLUSTER = RaySession("here", {"CPU": 8.0, "GPU": 0.0}, own=True)


class MadeUpTrials:
    """Stands for Ray, engines and Tune: notes what is started, leaves what a run leaves, dies where it is told to."""

    def __init__(self, made_up: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made_up = made_up
        self.engines, self.evaluated, self.ran = 0, [], []  # type: ignore[var-annotated]
        self.dies_after: int | None = None
        monkeypatch.setattr(job, "ray_session", self._session)
        monkeypatch.setattr(job, "build_starting_models", lambda *_: None)
        monkeypatch.setattr(job, "run_trials", self._run)
        monkeypatch.setattr(job, "predict", self._predict)
        monkeypatch.setattr(starting_model, "sampling_engines", self._start_engines)
        monkeypatch.setattr(starting_model, "_starting", lambda config, *_: (config, (), None))
        monkeypatch.setattr(starting_model, "PolicyEvaluator", self._evaluator)

    @contextmanager
    def _session(self, _: object) -> Iterator[RaySession]:
        yield CLUSTER

    @contextmanager
    def _start_engines(self, *_: object) -> Iterator[None]:
        self.engines += 1
        yield

    def _evaluator(self, config: Any, place: Any, *_: object) -> Any:
        outer = self

        class Evaluator:
            def test(self, moment: str, *_: object) -> None:
                outer.evaluated.append((place.path.name, config.run.seed))
                for name in ("sampled", "greedy"):
                    outer.made_up.evaluate(place.path, f"{moment}_{name}", config.run.seed)

        return Evaluator()

    def _predict(self, config: Any, starts: list[dict[str, Any]]) -> Prediction:
        assert [round(start["overall"]["mean_confidence"], 1) for start in starts] == [0.8] * len(starts)
        verdict = f"{config.reward.confidence.rule}, {config.advantage.normalize}, {len(starts)} seeds"
        return Prediction(0.8, 0.5, "down", verdict, (0.5,) * 9, None)

    def _run(self, directory: Path, runs: list[str], *arguments: Any, **_: Any) -> None:
        told = arguments[-1]
        for run in runs:
            if self.dies_after == len(self.ran):
                raise KeyboardInterrupt
            told.started(run)
            journal = json.loads((directory / "ablation.json").read_text())
            assert journal["cells"][0]["prediction"]["direction"] == "down"
            self.made_up.finish(directory / run, accuracy=0.5, confidence=0.5, seed=0)
            self.ran.append(run)
            told.ended(run, None)


@pytest.fixture
def trials(made_up: Any, monkeypatch: pytest.MonkeyPatch) -> MadeUpTrials:
    return MadeUpTrials(made_up, monkeypatch)


def run(journal: Any) -> None:
    job.run(AblationJob(resolve_config("smoke"), journal, "", 1), SilentProgress())


def test_starting_models_are_evaluated_once_a_seed_and_predictions_stand_before_the_runs(
    made_up: Any, trials: MadeUpTrials
) -> None:
    journal = made_up.journal(seeds=2)
    run(journal)
    assert trials.engines == 1
    assert [seed for _, seed in trials.evaluated] == [0, 1]
    assert trials.ran == [each.run for each in journal.runs()]
    assert [cell["prediction"]["verdict"] for cell in journal.cells] == [
        f"{rule}, {normalize}, 2 seeds" for rule in ("loglik", "brier") for normalize in (False, True)
    ]
    copies = [(journal.directory / each.run / "eval" / "before_sampled.jsonl").read_text() for each in journal.runs()]
    assert len(set(copies[:4])) == len(set(copies[4:])) == 1
    assert copies[0] != copies[4]
    assert {row["state"] for row in json.loads((journal.directory / "ablation.json").read_text())["runs"]} == {
        "finished"
    }


def test_a_killed_ablation_goes_on_with_what_was_left(made_up: Any, trials: MadeUpTrials) -> None:
    journal = made_up.journal(seeds=1)
    trials.dies_after = 3
    with pytest.raises(KeyboardInterrupt):
        run(journal)
    assert len(trials.ran) == 3
    trials.dies_after, trials.ran = None, []
    run(journal)
    assert trials.ran == [journal.runs()[3].run]
    assert trials.engines == 1  # what was evaluated stands
    run(journal)
    assert len(trials.ran) == 1


def test_cells_with_other_evaluations_do_not_share_one(made_up: Any, trials: MadeUpTrials) -> None:
    run(made_up.journal(seeds=1, grid={"evaluation.sampling.temperature": [0.7, 1.0]}))
    assert [name for name, _ in trials.evaluated] == ["01-temperature-0.7-seed-0", "02-temperature-1-seed-0"]
    assert trials.engines == 1


@pytest.mark.usefixtures("trials")
def test_a_failed_attempt_and_its_run_are_one_line_each(made_up: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []

    class Lines(SilentProgress):
        def message(self, text: str) -> None:
            lines.append(text)

    def run_trials(_: Path, runs: list[str], *arguments: Any, **__: Any) -> None:
        told = arguments[-1]
        told.begins_again(runs[0], "ValueError: no")
        told.ended(runs[0], "ActorDiedError: The actor died")
        told.ended(runs[1], None)

    journal = made_up.journal(seeds=1)
    monkeypatch.setattr(job, "run_trials", run_trials)
    job.run(AblationJob(resolve_config("smoke"), journal, "", 1), Lines())
    first, second = (each.run for each in journal.runs()[:2])
    log = journal.directory / first / "log.txt"
    assert lines[-3:] == [
        f"Run {first} failed and begins again: ValueError: no (details: {log})",
        f"Run {first} failed: ActorDiedError: The actor died; 0 of 4 are done",
        f"Run {second} waiting; 1 of 4 are done",
    ]
