import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import ray

from emocal_rl.cluster import session
from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.cluster import ClusterConfig
from emocal_rl.platform.errors import PlacementError

SMALL = ClusterConfig(num_cpus=1, object_store_gib=0.1)


def own_directories(pid: int | None = None) -> set[Path]:
    """Private directories of the Ray clusters that a process, by default this one, has started."""
    commands = [" ".join(child.cmdline()) for child in psutil.Process(pid).children(recursive=True)]
    return {Path(found) for command in commands for found in re.findall(r"/tmp/emocal-ray-\w+", command)}


@pytest.mark.ray
def test_own_cluster_leaves_no_process_and_no_directory() -> None:
    children = {process.pid for process in psutil.Process().children(recursive=True)}
    with ray_session(SMALL) as own:
        import ray

        assert own.own
        assert own.resources["CPU"] == 1
        assert ray.get(ray.remote(lambda: os.getpid()).remote()) != os.getpid()
        (directory,) = own_directories()
        assert directory.stat().st_mode & 0o077 == 0
        foreign = subprocess.Popen(["sleep", "60"])  # a tracker's service, say: none of the session's business
    assert {process.pid for process in psutil.Process().children(recursive=True)} - children == {foreign.pid}
    assert foreign.poll() is None
    assert not directory.exists()
    foreign.kill()
    foreign.wait()


@pytest.mark.ray
def test_a_killed_driver_leaves_no_process_behind() -> None:
    script = (
        "import os, time, ray, psutil\n"
        "from emocal_rl.cluster.session import ray_session\n"
        "from emocal_rl.platform.config.cluster import ClusterConfig\n"
        "with ray_session(ClusterConfig(num_cpus=1, object_store_gib=0.1)):\n"
        "    ray.get(ray.remote(lambda: os.getpid()).remote())\n"
        "    time.sleep(1.5)\n"  # one look of the guardian
        "    print(*[p.pid for p in psutil.Process().children(recursive=True)], flush=True)\n"
        "    time.sleep(60)\n"
    )
    driver = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    started = [int(pid) for pid in driver.stdout.readline().split()]
    assert len(started) >= 4  # gcs, raylet, a worker, the guardian
    (directory,) = own_directories(driver.pid)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    deadline = time.monotonic() + 20
    while (left := [pid for pid in started if psutil.pid_exists(pid)]) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []
    assert not directory.exists()


@pytest.mark.ray
def test_a_terminated_driver_ends_as_its_command_says() -> None:
    script = """
import os, signal
from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.cluster import ClusterConfig
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    with ray_session(ClusterConfig(num_cpus=1)):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
except KeyboardInterrupt:
    print("like Ctrl-C")
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert (ended.stdout, ended.stderr) == ("like Ctrl-C\n", "")


def test_a_store_that_shared_memory_cannot_hold_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.shutil, "disk_usage", lambda _: SimpleNamespace(free=2**26))
    with pytest.raises(PlacementError) as caught, ray_session(ClusterConfig(object_store_gib=31.9)):
        pass
    assert str(caught.value).startswith("cluster.object_store_gib = 31.9: does not fit into /dev/shm")
    assert "docker run --shm-size=33g" in str(caught.value)
    session._check_shared_memory(9.0)  # Ray takes files instead


def test_unreachable_cluster_is_one_message() -> None:
    with pytest.raises(PlacementError) as caught, ray_session(ClusterConfig(address="127.0.0.1:1")):
        pass
    assert str(caught.value).startswith("cluster.address = '127.0.0.1:1': no Ray cluster answers there")


def test_a_cluster_that_asks_for_a_token_is_another_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise ConnectionError("Failed to connect to Ray cluster\nat length")

    monkeypatch.setattr(ray, "init", refuse)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(PlacementError) as caught, ray_session(ClusterConfig(address=address)):
            pass
    assert f"{address}': a server answers there, but no Ray cluster lets this process in (Failed to" in str(
        caught.value
    )
    assert "RAY_AUTH_MODE=token" in str(caught.value)
