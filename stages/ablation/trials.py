"""The runs of an ablation as trials of Ray Tune, on the Ray cluster that is there.

Tune schedules: a trial starts as soon as the cluster holds a placement group of all its roles, and is begun anew when
it fails, unless by an error that only the user can mend. The roles of a run of stage 3 take the bundles of its trial's
own group (`cluster.placement.reserve`), so nothing is reserved twice; the trial's actor itself takes no resource. What
is done, and where a begun run goes on, is the run directories' to say: Tune keeps no checkpoints, and a repeated
ablation is a new Tune experiment over what is left.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from emocal_rl.platform.errors import UserError
from emocal_rl.platform.progress import Progress
from emocal_rl.stages.ablation.resources import Resources

_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # a run has its own journal and trackers
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C ends the whole command, as it ends `launch`
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # relative paths of a config mean what they mean to the user
    "RAY_AIR_NEW_OUTPUT": "0",  # the newer output prints tables at any verbosity
    "TUNE_MAX_PENDING_TRIALS_PG": "1",  # trials start in their order
}


Work = Callable[[Path, Progress], None]


class Listener(Protocol):
    """Who is told about the trials, in the process that started them."""

    def started(self, run: str) -> None:
        """A run begins, or begins again."""

    def progress(self, run: str) -> Progress:
        """Who listens to one run."""

    def begins_again(self, run: str, error: str) -> None:
        """A run has failed, and is begun again from its last checkpoint."""

    def ended(self, run: str, error: str | None) -> None:
        """A run has ended; `error` where it failed for good."""


def run_trials(
    directory: Path,
    runs: Sequence[str],
    work: Work,
    resources: Resources,
    listener: Listener,
    *,
    max_failures: int,
) -> None:
    """Do the runs, as many at a time as the cluster holds; one that fails too often does not end the others.

    Args:
        directory: of the ablation.
        runs: names of the runs' folders, in the order they are begun.
        work: does one, given its folder and a listener; it runs in a process of the trial's own.
        resources: of each trial.
        listener: told what happens.
        max_failures: how often a failed run is begun again from its last checkpoint; never after a `UserError`.
    """
    os.environ.update(_SETTINGS)
    from ray import tune

    def trial(task: Mapping[str, str]) -> None:
        try:
            work(directory / task["run"], _Reporting())
        except UserError as error:  # begun again it would fail again, so for Tune the trial is done
            tune.report({"refused": _in_one_line(error)})

    def factory(task: Mapping[str, str]) -> Any:
        bundles = [dict(bundle) for bundle in resources.bundles[task["run"]]]
        return tune.PlacementGroupFactory([{}, *bundles], strategy=resources.strategy)

    storage = (directory / "tune").resolve()
    tuner = tune.Tuner(
        tune.with_resources(trial, factory),
        param_space={"run": tune.grid_search(list(runs))},
        tune_config=tune.TuneConfig(max_concurrent_trials=resources.concurrent),
        run_config=tune.RunConfig(
            name=f"attempt-{len(list(storage.glob('attempt-*'))) + 1}",
            storage_path=str(storage),
            callbacks=[_callback_to(listener)],
            failure_config=tune.FailureConfig(max_failures=max_failures),
            verbose=0,
        ),
    )
    with _tune_logs_to(logging.getLogger(__name__)):
        tuner.fit()


@contextmanager
def _tune_logs_to(logger: logging.Logger) -> Iterator[None]:
    """Send what Tune logs, a traceback of every failure with it, to the ablation's log instead of the terminal."""

    class Forward(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logger.handle(record)

    tune_logger, forward = logging.getLogger("ray.tune"), Forward()
    propagated, tune_logger.propagate = tune_logger.propagate, False
    tune_logger.addHandler(forward)
    try:
        yield
    finally:
        tune_logger.removeHandler(forward)
        tune_logger.propagate = propagated


def _error_of(trial: Any) -> BaseException | None:
    """A failed trial's error. Tune's own reader looks where the file is copied to, which may be later."""
    from ray import cloudpickle

    path = trial.pickled_error_file
    return cloudpickle.loads(Path(path).read_bytes()) if path and Path(path).exists() else None


def _in_one_line(error: BaseException | None) -> str:
    """What went wrong; of an error in a worker, the worker's own."""
    if error is None:
        return "the trial's process ended"
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, UserError):
        return " ".join(str(cause).split())
    first = str(cause).strip().partition("\n")[0]
    return f"{type(cause).__name__}: {first}" if first else type(cause).__name__


def _callback_to(listener: Listener) -> Any:
    from ray import tune

    class Telling(tune.Callback):  # type: ignore[misc]  # Ray is not typed
        """Passes on what trials report. Tune pickles it; who is told, a terminal at last, stays out of that."""

        def __init__(self, listener: Listener) -> None:
            self._listener = listener
            self._refused: dict[str, str] = {}

        def __getstate__(self) -> dict[str, Any]:
            return {}

        def on_trial_start(self, *_: Any, trial: Any, **__: Any) -> None:
            self._listener.started(trial.config["run"])

        def on_trial_result(self, *_: Any, trial: Any, result: dict[str, Any], **__: Any) -> None:
            if (told := result.get("told")) is not None:
                getattr(self._listener.progress(trial.config["run"]), told["call"])(*told["arguments"])
            if (error := result.get("refused")) is not None:
                self._refused[trial.config["run"]] = error

        def on_trial_complete(self, *_: Any, trial: Any, **__: Any) -> None:
            self._listener.ended(trial.config["run"], self._refused.get(trial.config["run"]))

        def on_trial_recover(self, *_: Any, trial: Any, **__: Any) -> None:
            self._listener.begins_again(trial.config["run"], _in_one_line(_error_of(trial)))

        def on_trial_error(self, *_: Any, trial: Any, **__: Any) -> None:
            self._listener.ended(trial.config["run"], _in_one_line(_error_of(trial)))

    return Telling(listener)


class _Reporting:
    """Tells the process that started the trial, through Tune."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Pass it on."""
        self._tell("phase", name, total)

    def advance(self, count: int = 1) -> None:
        """Not worth a message: the journal's rows tell the steps."""

    def metrics(self, row: Mapping[str, float | int | str | None]) -> None:
        """Pass it on."""
        self._tell("metrics", dict(row))

    def message(self, text: str) -> None:
        """Pass it on."""
        self._tell("message", text)

    def _tell(self, call: str, *arguments: Any) -> None:
        from ray import tune

        tune.report({"told": {"call": call, "arguments": list(arguments)}})
