import threading
from collections.abc import Mapping

import pytest

from emocal_rl.platform.trackers import tracker_set
from emocal_rl.platform.trackers.tracker import split_row
from emocal_rl.platform.trackers.tracker_set import TrackerSet


class Recorder:
    def __init__(self) -> None:
        self.logged: list[tuple[str, dict[str, float], int]] = []
        self.closed = False

    def log(self, group: str, metrics: Mapping[str, float], step: int) -> None:
        self.logged.append((group, dict(metrics), step))

    def close(self) -> None:
        self.closed = True


class Broken(Recorder):
    def log(self, group: str, metrics: Mapping[str, float], step: int) -> None:
        super().log(group, metrics, step)
        raise ConnectionError("no route")


class Hanging:
    """Answers nothing until it is released; whoever waits for it all the same finds `was_waited_for` set."""

    def __init__(self) -> None:
        self.release, self.was_waited_for = threading.Event(), False

    def log(self, *_: object) -> None:
        self.was_waited_for |= not self.release.wait(20)
        self.release.set()  # whoever waits shall wait once

    def close(self) -> None:
        pass


def train_row(step: int) -> dict[str, object]:
    return {"kind": "train", "time": 1.0, "step": step, "loss/kl": 0.5}


def test_every_tracker_gets_every_row() -> None:
    first, second = Recorder(), Recorder()
    trackers = TrackerSet({"a": lambda: first, "b": lambda: second}, pytest.fail)
    trackers.log(train_row(1))
    trackers.log({"kind": "event", "time": 1.0, "name": "x", "message": "y"})
    trackers.log({"kind": "validation", "time": 1.0, "step": 1, "ece": 0.1})
    trackers.close()
    assert first.logged == second.logged == [("train", {"loss/kl": 0.5}, 1), ("validation", {"ece": 0.1}, 1)]
    assert first.closed
    assert second.closed


def test_a_failing_tracker_warns_once_and_is_dropped() -> None:
    broken, working, warnings = Broken(), Recorder(), list[str]()
    trackers = TrackerSet({"bad": lambda: broken, "good": lambda: working}, warnings.append)
    for step in range(3):
        trackers.log(train_row(step))
    trackers.close()
    assert warnings == [
        "tracker bad failed: ConnectionError: no route; the run goes on without it (metrics.jsonl has everything)"
    ]
    assert len(broken.logged) == 1
    assert len(working.logged) == 3


def test_a_tracker_that_cannot_be_opened_is_dropped() -> None:
    def refuse() -> Recorder:
        raise PermissionError("not logged in")

    warnings: list[str] = []
    trackers = TrackerSet({"bad": refuse}, warnings.append)
    trackers.close()
    trackers.log(train_row(1))
    assert [warning.split(";")[0] for warning in warnings] == ["tracker bad failed: PermissionError: not logged in"]


def test_a_hanging_tracker_stalls_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_set, "QUEUE_ROWS", 3)
    hanging, warnings = Hanging(), list[str]()
    trackers = TrackerSet({"slow": lambda: hanging}, warnings.append)
    for step in range(10):
        trackers.log(train_row(step))
    trackers.close(timeout_s=0.1)
    assert not hanging.was_waited_for
    assert [warning.split(";")[0] for warning in warnings] == ["tracker slow is 3 rows behind"]
    hanging.release.set()


def test_closing_waits_only_so_long() -> None:
    hanging, warnings = Hanging(), list[str]()
    trackers = TrackerSet({"slow": lambda: hanging}, warnings.append)
    trackers.log(train_row(1))
    trackers.close(timeout_s=0.1)
    assert not hanging.was_waited_for
    assert [warning.split(";")[0] for warning in warnings] == ["tracker slow did not finish in time"]
    hanging.release.set()


def test_rows_become_groups_of_numbers() -> None:
    assert split_row({"kind": "sft", "stage": "reasoning", "time": 1.0, "step": 2, "loss": 1, "ok": True}) == (
        "reasoning",
        {"loss": 1.0},
        2,
    )
    assert split_row({"kind": "train", "step": 1, "auc": None, "note": "x"}) == ("train", {}, 1)
    assert split_row({"kind": "event", "name": "x"}) is None
