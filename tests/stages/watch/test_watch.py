import pickle
from typing import Any

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.contracts import RewardedResponse, ScoredGroup
from emocal_rl.platform.errors import AlarmError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import Journal, read_journal
from emocal_rl.platform.trackers.tracker_set import TrackerSet
from emocal_rl.stages.recorder import Recorder
from emocal_rl.stages.watch.watch import Watch

RESPONSES = (RewardedResponse({"format": 1.0}, 1.0, True, 0.7, True, "awe"),) * 2
GROUP = ScoredGroup("s", "FI-8", RESPONSES, (0.0, 0.0), (5, 5), 1, texts=("a", "b"))


def watched(run: RunDirectory, seen: list[Any], *sets: str) -> Watch:
    class View(SilentProgress):
        def metrics(self, row: Any) -> None:
            seen.append(row)

    config = resolve_config(None, sets=["alarms.short_window=1", *sets])
    return Watch(config, Recorder(Journal(run), TrackerSet({}, print), View()), journal=read_journal(run))


def test_an_alarm_is_told_once_in_a_run_and_its_resumed_parts(tmp_path: Any) -> None:
    run, seen = RunDirectory.create(tmp_path, "run"), []
    watch = watched(run, seen)
    for step, kl in enumerate((0.1, 5.0, 5.0), start=1):
        assert watch.record(step, [GROUP], {"loss/kl": kl}) is None
    assert watched(run, seen).record(4, [GROUP], {"loss/kl": 5.0}) is None
    events = list(read_journal(run, "event"))
    message = "kl-blow-up at step 2: KL to the reference 5 nats a token over the last 1 steps (limit 1)"
    assert [(event["alarm"], event["step"], event["message"]) for event in events] == [("kl-blow-up", 2, message)]
    assert [row["kind"] for row in seen] == ["train", "train", "event", "train", "train"]
    rows = list(read_journal(run, "train"))
    assert [(row["loss/kl"], row["rollout/FI-8/accuracy"]) for row in rows] == [(0.1, 1), (5, 1), (5, 1), (5, 1)]
    assert rows[0]["rollout/decoy_share"] is None


def test_an_alarm_that_stops_does_so_until_the_settings_are_others(tmp_path: Any) -> None:
    run = RunDirectory.create(tmp_path, "run")
    watch = watched(run, [], "alarms.stop=[decoy, kl-blow-up]")
    assert watch.record(1, [GROUP], {"loss/kl": 0.1}) is None
    stop = watch.record(2, [GROUP], {"loss/kl": 5.0})
    assert isinstance(stop, AlarmError)
    assert str(stop) == (
        "alarms.stop = 'kl-blow-up': the alarm sounded at step 2 and ended the run: KL to the reference 5 nats a token "
        "over the last 1 steps (limit 1). Look at the report; `--resume RUN` goes on from here if other alarms.* "
        "settings are given with it, e.g. --set alarms.stop=[]."
    )
    assert str(pickle.loads(pickle.dumps(stop))) == str(stop)
    assert watched(run, [], "alarms.stop=[kl-blow-up]").record(3, [GROUP], {"loss/kl": 5.0}) is not None
    assert watched(run, [], "alarms.stop=[]").record(3, [GROUP], {"loss/kl": 5.0}) is None
    assert watched(run, [], "alarms.stop=[kl-blow-up]", "alarms.kl_limit=9").record(3, [GROUP], {"loss/kl": 5}) is None
    assert len(list(read_journal(run, "event"))) == 1


def test_an_unknown_alarm_is_refused() -> None:
    from emocal_rl.platform.errors import ConfigErrors

    with pytest.raises(ConfigErrors, match="one of confidence-collapse, overconfidence-drift, decoy"):
        resolve_config(None, sets=["alarms.stop=[bankruptcy]"])
