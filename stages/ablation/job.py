"""`emocal-rl ablate`: starting models, their evaluation, the audit's predictions, then the runs as trials."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import RewardError
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.stages.ablation.journal import AblationJournal
from emocal_rl.stages.ablation.measurement import read_evaluation
from emocal_rl.stages.ablation.one_run import run_cell
from emocal_rl.stages.ablation.prediction import predict
from emocal_rl.stages.ablation.resources import trial_resources
from emocal_rl.stages.ablation.starting_model import build_starting_models, evaluate_starting_models
from emocal_rl.stages.ablation.trials import run_trials
from emocal_rl.stages.estimate import with_object_store


@dataclass(frozen=True)
class AblationJob:
    """An ablation: its base configuration, where it writes, where a user's reward plug-in is imported from.

    `max_failures`: how often a failed run is begun again from its last checkpoint, where the user need mend nothing.
    """

    config: Config
    journal: AblationJournal
    search_path: str
    max_failures: int


def run(job: AblationJob, progress: Progress) -> None:
    """Do what is left of an ablation. Its journal says what came of every run."""
    journal = job.journal
    waiting = journal.waiting()
    if not waiting:
        return
    directory, configs = journal.directory.resolve(), journal.configs()
    progress.phase("Ray")
    with ray_session(with_object_store(job.config)) as session:
        build_starting_models(directory, journal.stage, job.config, configs, progress)
        evaluate_starting_models(directory, journal.stage, configs, progress)
        if journal.stage == "calibration":
            _predict(journal, configs, progress)
        told = _Told(journal, progress, done=len(configs) - len(waiting))
        run_trials(
            directory,
            [each.run for each in waiting],
            partial(run_cell, stage=journal.stage, search_path=job.search_path),
            trial_resources(configs, journal.stage, session),
            told,
            max_failures=job.max_failures,
        )
    journal.write()


def _predict(journal: AblationJournal, configs: Mapping[str, Config], progress: Progress) -> None:
    """Write down what the audit expects of every cell, from the cold start's own confidences, before any is run."""
    progress.phase("audit", len(journal.cells))
    for cell in journal.cells:
        runs = [run.run for run in journal.runs() if run.cell == cell["number"]]
        if cell["prediction"] is None:
            starts = [read_evaluation(journal.directory / run, "before_sampled") for run in runs]
            try:
                prediction = predict(configs[runs[0]], [start for start in starts if start is not None])
            except RewardError as error:  # a rule that no audit can score may still train, masked where it fails
                progress.message(f"{cell['name']}: no prediction, {error}")
                continue
            if prediction is None:
                progress.message(f"{cell['name']}: no prediction, the model it starts from states no confidence")
                continue
            journal.predict(cell["number"], prediction.to_dict())
            progress.message(
                f"{cell['name']}: the audit predicts mean confidence {prediction.start:.2f} -> {prediction.end:.2f} "
                f"({prediction.direction}; {prediction.verdict})"
            )
        progress.advance()


class _Told:
    """Tells the one who watches about trials: which begins and ends, and the newest figures of each."""

    def __init__(self, journal: AblationJournal, progress: Progress, *, done: int) -> None:
        self._journal, self._progress, self._done = journal, progress, done
        self._all = len(journal.runs())

    def started(self, run: str) -> None:
        self._progress.message(f"Run {run} begins; {self._done} of {self._all} are done")
        self._journal.write()

    def progress(self, run: str) -> Progress:
        return _OfRun(run, self._progress)

    def begins_again(self, run: str, error: str) -> None:
        log = RunDirectory(self._journal.directory / run).log
        self._progress.message(f"Run {run} failed and begins again: {error} (details: {log})")

    def ended(self, run: str, error: str | None) -> None:
        self._done += error is None
        self._journal.write()
        state = next(each for each in self._journal.runs() if each.run == run)
        why = f": {reason}" if (reason := error or state.error) else ""
        self._progress.message(
            f"Run {run} {'failed' if error else state.state}{why}; {self._done} of {self._all} are done"
        )


@dataclass(frozen=True)
class _OfRun:
    """One run's progress, by its name."""

    run: str
    whole: Progress

    def phase(self, name: str, total: int | None = None) -> None:
        self.whole.phase(f"{self.run}: {name}", total)

    def advance(self, count: int = 1) -> None:
        self.whole.advance(count)

    def metrics(self, row: Mapping[str, float | int | str | None]) -> None:
        self.whole.metrics(row)
        if row["kind"] == "train":
            self.whole.advance()

    def message(self, text: str) -> None:
        self.whole.message(f"{self.run}: {text}")
