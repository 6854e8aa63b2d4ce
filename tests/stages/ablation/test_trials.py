"""Ray Tune itself, with work that is made up."""

import logging
import os
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray import cloudpickle

from emocal_rl.cluster.placement import plan_placement
from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.cluster import ClusterConfig
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.runs.log_file import log_to_file
from emocal_rl.stages.ablation import trials
from emocal_rl.stages.ablation.trials import Resources, run_trials


@dataclass
class Heard:
    """What the process that started the trials is told."""

    events: list[tuple[Any, ...]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    """As a terminal has: it cannot be pickled."""

    def started(self, run: str) -> None:
        self.events.append(("started", run))

    def progress(self, run: str) -> Any:
        heard = self

        class OfRun:
            def message(self, text: str) -> None:
                heard.events.append(("said", run, text))

        return OfRun()

    def begins_again(self, run: str, error: str) -> None:
        self.events.append(("again", run, error))

    def ended(self, run: str, error: str | None) -> None:
        self.events.append(("ended", run, error))


@pytest.mark.ray
@pytest.mark.slow
def test_trials_hold_their_roles_bundles_and_failures_stay_their_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = resolve_config("smoke")
    bundles = plan_placement(config, 0).bundles

    def work(path: Path, progress: Any) -> None:
        from ray.util import get_current_placement_group

        from emocal_rl.cluster.placement import plan_placement, reserve
        from emocal_rl.cluster.session import ray_session

        path.mkdir(exist_ok=True)
        attempt = len(list(path.iterdir()))
        (path / str(attempt)).touch()
        if path.name == "broken" or (path.name == "shaky" and attempt == 0):
            raise ValueError(path.name)
        if path.name == "refused":
            raise DataError("images/7.png", rule="no such file", fix="Restore it.")
        if path.name == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        with ray_session(config.cluster) as session:
            plan = plan_placement(config, session.num_gpus)
            with reserve(plan, strategy="PACK", timeout_s=30) as placement:
                held = get_current_placement_group()
                progress.message(f"{session.own} {placement.group.id == held.id} {os.getcwd()}")  # noqa: PTH109

    heard = Heard()
    runs = ["plain", "broken", "shaky", "refused", "killed"]
    with ray_session(ClusterConfig(num_cpus=2, object_store_gib=0.2)), log_to_file(tmp_path / "log.txt"):
        resources = Resources(dict.fromkeys(runs, bundles), "PACK")
        run_trials(tmp_path, runs, work, resources, heard, max_failures=1)
    said = {event[1]: event[2] for event in heard.events if event[0] == "said"}
    assert said == dict.fromkeys(("plain", "shaky"), f"False True {Path.cwd()}")
    (*ended, (_, _, died)) = sorted(event for event in heard.events if event[0] == "ended" and event[1] != "killed") + [
        event for event in heard.events if event[:2] == ("ended", "killed")
    ]
    assert [event[1:] for event in ended] == [
        ("broken", "ValueError: broken"), ("plain", None), ("refused", "images/7.png: no such file. Restore it."),
        ("shaky", None),
    ]  # fmt: skip
    assert died.startswith("ActorDiedError: ")
    again = [event[1:] for event in heard.events if event[0] == "again"]
    assert again == [("broken", "ValueError: broken"), ("shaky", "ValueError: shaky"), ("killed", died)]
    assert [len(list((tmp_path / run).iterdir())) for run in runs] == [1, 2, 2, 1, 2]
    assert "Traceback" not in "".join(capfd.readouterr())
    assert "ValueError: broken" in (tmp_path / "log.txt").read_text()
    assert heard.events[:3] == [("started", "plain"), ("said", "plain", said["plain"]), ("ended", "plain", None)]


@dataclass
class FailedInWorkerError(Exception):
    """Has its cause as Ray's task errors have."""

    cause: Exception


def test_every_end_of_a_trial_is_told_with_one_line_of_why(tmp_path: Path) -> None:
    heard = Heard()
    told = trials._callback_to(heard)

    def trial(run: str, error: Exception | None = None) -> SimpleNamespace:
        file = tmp_path / "error.pkl"
        file.write_bytes(cloudpickle.dumps(error))
        return SimpleNamespace(config={"run": run}, pickled_error_file=str(file))

    told.on_trial_start(iteration=0, trials=[], trial=trial("a"))
    told.on_trial_result(
        iteration=0, trials=[], trial=trial("a"), result={"told": {"call": "message", "arguments": ["x"]}}
    )
    told.on_trial_recover(iteration=0, trials=[], trial=trial("a", FailedInWorkerError(ValueError("first\nsecond"))))
    told.on_trial_error(iteration=0, trials=[], trial=trial("a", KeyError()))
    told.on_trial_result(iteration=0, trials=[], trial=trial("b"), result={"refused": "rows.jsonl:3: broken. Mend it."})
    told.on_trial_complete(iteration=0, trials=[], trial=trial("b"))
    told.on_trial_complete(iteration=0, trials=[], trial=trial("c"))
    assert heard.events == [
        ("started", "a"),
        ("said", "a", "x"),
        ("again", "a", "ValueError: first"),
        ("ended", "a", "KeyError"),
        ("ended", "b", "rows.jsonl:3: broken. Mend it."),
        ("ended", "c", None),
    ]


def test_what_tune_logs_goes_to_the_ablations_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tune_logger = logging.getLogger("ray.tune")
    before = (tune_logger.propagate, list(tune_logger.handlers))
    with log_to_file(tmp_path / "log.txt"), trials._tune_logs_to(logging.getLogger(trials.__name__)):
        tune_says = logging.getLogger("ray.tune.execution.tune_controller")
        tune_says.error("Trial task failed", exc_info=ValueError("broken"))
    written = (tmp_path / "log.txt").read_text()
    assert "Trial task failed" in written
    assert "ValueError: broken" in written
    assert "".join(capfd.readouterr()) == ""
    assert (tune_logger.propagate, list(tune_logger.handlers)) == before
