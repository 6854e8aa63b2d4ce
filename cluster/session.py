"""Connect to a Ray cluster, or start one of this run's own and leave nothing of it behind."""

import logging
import math
import os
import secrets
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emocal_rl.cluster.guardian import Guardian, end_processes, session_processes
from emocal_rl.platform.config.cluster import ClusterConfig
from emocal_rl.platform.errors import PlacementError

_GIB = 2**30
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Ray's object store is
_OBJECT_STORE_GIB = 1.0
_LARGEST_ON_DISK = 10**10
"""Bytes up to which Ray puts an object store that shared memory cannot hold into files; a larger one it refuses."""


@dataclass(frozen=True)
class RaySession:
    """A live connection. `resources` are the cluster's totals (`CPU`, `GPU`, ...)."""

    address: str
    resources: dict[str, float]
    own: bool

    @property
    def num_gpus(self) -> float:
        """GPUs of the whole cluster."""
        return self.resources.get("GPU", 0.0)


@contextmanager
def ray_session(config: ClusterConfig) -> Iterator[RaySession]:
    """Connect as `config.address` says; on exit end every process of a cluster that was started here.

    Inside a session, and in a worker of a cluster such as a trial of Ray Tune, it is the one that is there.
    An own cluster uses token authentication and lives in a private directory that is removed afterwards. A guardian
    ends its processes also when the driver is killed.

    Raises:
        PlacementError: the address cannot be reached, or the object store does not fit into shared memory.
    """
    # The hook uploads the whole working directory when the driver runs under `uv run`.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        yield RaySession(ray.get_runtime_context().gcs_address, dict(ray.cluster_resources()), own=False)
    elif config.address == "local":
        with _own_cluster(config) as session:
            yield session
    else:
        with _foreign_cluster(config) as session:
            yield session


@contextmanager
def _own_cluster(config: ClusterConfig) -> Iterator[RaySession]:
    import ray

    # Unix socket paths are limited to 107 bytes, so a long TMPDIR will not do. Ray opens its own folder to everybody,
    # so it lies inside a private one.
    object_store_gib = config.object_store_gib or _OBJECT_STORE_GIB
    _check_shared_memory(object_store_gib)
    directory = Path(tempfile.mkdtemp(prefix="emocal-ray-", dir="/tmp"))
    _use_token_authentication()
    guardian = Guardian(directory)
    try:
        context = _init(
            address="local",
            num_cpus=config.num_cpus,
            object_store_memory=int(object_store_gib * _GIB),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=str(directory / "ray"),
        )
        yield RaySession(context.address_info["address"], dict(ray.cluster_resources()), own=True)
    finally:
        started = session_processes(os.getpid(), directory)
        ray.shutdown()
        end_processes(started, grace_s=3.0)
        guardian.dismiss()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _foreign_cluster(config: ClusterConfig) -> Iterator[RaySession]:
    import ray

    _check_reachable(config.address)
    try:
        context = _init(address=config.address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise PlacementError(
            "cluster.address",
            config.address,
            rule=f"a server answers there, but no Ray cluster lets this process in ({str(error).splitlines()[0]})",
            fix=f"It must run Ray {ray.__version__}. Where it asks for a token, set RAY_AUTH_MODE=token here as on its "
            "nodes, and have its token in ~/.ray/auth_token or RAY_AUTH_TOKEN",
        ) from error
    try:
        yield RaySession(context.address_info["address"], dict(ray.cluster_resources()), own=False)
    finally:
        ray.shutdown()


def _init(**settings: Any) -> Any:
    """`ray.init` without its handler of SIGTERM, under which a command would not end like by Ctrl-C."""
    import ray

    handler = signal.getsignal(signal.SIGTERM)
    context = ray.init(**settings)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)
    return context


def _check_shared_memory(object_store_gib: float) -> None:
    """Refuse what Ray would refuse, but with the way out."""
    free = shutil.disk_usage(_SHARED_MEMORY).free
    if object_store_gib * _GIB > max(free, _LARGEST_ON_DISK):
        raise PlacementError(
            "cluster.object_store_gib",
            object_store_gib,
            rule=f"does not fit into {_SHARED_MEMORY}, which has {free / _GIB:.1f} GiB free",
            fix=f"Enlarge it (docker run --shm-size={math.ceil(object_store_gib) + 1}g), or set a smaller store: what "
            "does not fit into it goes through files, slowly",
        )


def _use_token_authentication() -> None:
    """Give this process's clusters a token of their own, in memory: Ray would write a world-readable file.

    Ray turns authentication on by itself for a local cluster unless `RAY_AUTH_MODE` says otherwise.
    """
    if not os.environ.get("RAY_AUTH_TOKEN_PATH"):
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _check_reachable(address: str, timeout_s: float = 5.0) -> None:
    """Fail in seconds where Ray itself would retry for many minutes."""
    host, separator, port = address.rpartition(":")
    if not separator:
        return
    try:
        socket.create_connection((host, int(port)), timeout=timeout_s).close()
    except (OSError, ValueError, OverflowError) as error:
        raise PlacementError(
            "cluster.address",
            address,
            rule=f"no Ray cluster answers there ({error})",
            fix="Start one with `ray start --head`, or use --address local",
        ) from error
