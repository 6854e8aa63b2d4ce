"""The pool against real Ray actors: scripted workers that can be told to die."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray

from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.cluster import ClusterConfig
from emocal_rl.platform.errors import DataError, WorkerError

pytestmark = pytest.mark.ray


class FakeWorker:
    """Answers request i with the string of its payload; dies before the groups named in the file `deaths`."""

    def __init__(self, deaths: str) -> None:
        self._deaths, self._version = Path(deaths), 0

    def ready(self) -> int:
        return self._version

    def process_id(self) -> int:
        return os.getpid()

    def update_weights(self, weights: object, version: int) -> int:  # noqa: ARG002
        self._version = version
        return version

    def stream(self, numbered: list[tuple[int, str]], version: int) -> Iterator[object]:
        assert version == self._version, f"asked for {version}, has {self._version}"
        for index, payload in reversed(numbered):
            deaths = self._deaths.read_text().split()
            if payload in deaths:
                deaths.remove(payload)
                self._deaths.write_text(" ".join(deaths))
                os._exit(1)
            if payload == "too long":
                yield index, DataError("rows:2", rule="is too long")
                continue
            yield index
            yield f"{payload} by version {self._version}"


@pytest.fixture(scope="module")
def session() -> Iterator[None]:
    with ray_session(ClusterConfig(num_cpus=2, object_store_gib=0.1)):
        yield


def pool_of(num_workers: int, deaths: Path, *, max_restarts: int = 3) -> RolloutPool:
    actor = ray.remote(FakeWorker).options(num_cpus=0, max_restarts=-1, max_task_retries=0)
    workers = [actor.remote(str(deaths)) for _ in range(num_workers)]
    return RolloutPool(workers, max_restarts=max_restarts, restart_timeout_s=120)


def kill(worker: Any) -> None:
    """Return when the worker is dead, not merely doomed: until then it may still answer."""
    process = psutil.Process(ray.get(worker.process_id.remote()))
    process.kill()
    process.wait(timeout=30)


def collect(pool: RolloutPool, requests: list[str]) -> list[tuple[int, str]]:
    return [(index, ray.get(ref)) for index, ref in pool.stream(requests)]


def test_every_request_comes_out_once_with_its_index(session: None, tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").write_text("")
    groups = collect(pool_of(2, deaths), ["a", "b", "c", "d", "e"])
    assert sorted(groups) == [(i, f"{letter} by version 0") for i, letter in enumerate("abcde")]


def test_fewer_requests_than_workers(session: None, tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").write_text("")
    assert collect(pool_of(3, deaths), ["only"]) == [(0, "only by version 0")]


def test_a_request_that_cannot_be_sampled_costs_itself_alone(session: None, tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").write_text("c")
    pool, refused = pool_of(2, deaths), {}
    groups = pool.stream(["a", "too long", "c", "d"], refused.__setitem__)
    assert sorted(ray.get(ref)[0] for _, ref in groups) == ["a", "c", "d"]
    assert {index: str(error) for index, error in refused.items()} == {1: "rows:2: is too long."}
    with pytest.raises(DataError, match="is too long"):
        collect(pool, ["a", "too long"])


def test_each_worker_goes_through_batches_of_its_own(session: None, tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").write_text("d")
    pool = pool_of(2, deaths)
    first, second = [{0: "a", 2: "c"}, {4: "e"}, {6: "g", 8: "i"}], [{1: "b"}, {3: "d"}]
    groups = [(index, ray.get(ref)) for index, ref in pool.stream_batches([iter(first), iter(second)])]  # type: ignore[list-item]
    assert sorted(groups) == [(i, f"{'abcdefghi'[i]} by version 0") for i in (0, 1, 2, 3, 4, 6, 8)]
    assert [index for index, _ in groups if index % 2 == 0] == [2, 0, 4, 8, 6]
    assert pool.num_deaths == 1


def test_a_death_costs_a_retry_with_the_current_weights(session: None, tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").write_text("b")
    pool = pool_of(2, deaths)
    pool.sync(ray.put("weights"), 4)
    groups = collect(pool, ["a", "b", "c", "d"])
    assert sorted(groups) == [(i, f"{letter} by version 4") for i, letter in enumerate("abcd")]
    assert pool.num_deaths == 1


def test_too_many_deaths_end_the_run(session: None, tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").write_text("a a a a")
    with pytest.raises(WorkerError, match="died 2 times"):
        collect(pool_of(1, deaths, max_restarts=1), ["a"])


def test_a_worker_that_dies_between_steps_is_revived_at_the_next_sync(session: None, tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").write_text("")
    pool = pool_of(1, deaths)
    kill(pool.workers[0])
    pool.sync(ray.put("weights"), 1)
    assert collect(pool, ["a"]) == [(0, "a by version 1")]


def test_weights_that_came_another_way_are_fetched_for_a_restarted_worker_only(session: None, tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").write_text("b")
    pool, taken = pool_of(2, deaths), []
    ray.get([worker.update_weights.remote("sent past the pool", 4) for worker in pool.workers])
    pool.confirm(4, lambda: taken.append("snapshot") or ray.put("weights"))
    assert sorted(collect(pool, ["a"])) == [(0, "a by version 4")]
    assert taken == []
    assert sorted(collect(pool, ["a", "b"])) == [(0, "a by version 4"), (1, "b by version 4")]
    assert taken == ["snapshot"]


def test_deaths_are_noticed_before_weights_are_sent_past_the_pool(session: None, tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").write_text("")
    pool = pool_of(2, deaths)
    pool.sync(ray.put("weights"), 1)
    pool.replace_dead()
    assert pool.num_deaths == 0
    kill(pool.workers[0])
    pool.replace_dead()
    assert pool.num_deaths == 1
    # A restart that nobody was waiting for shows in the version.
    ray.get(pool.workers[0].update_weights.remote("sent", 1))
    ray.get(pool.workers[1].update_weights.remote("model files", 0))
    pool.replace_dead()
    assert pool.num_deaths == 2
