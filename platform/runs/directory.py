import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from emocal_rl.platform.errors import RunError, nearest
from emocal_rl.platform.runs.lock import RunLock


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run. `create`, `at` and `open` hold its lock until `close`; the bare constructor only reads.

    What they return has an absolute path: learner ranks, which write there, need not stand where the driver stands.
    """

    path: Path
    lock: RunLock = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lock", RunLock(self.path))

    @classmethod
    def create(cls, root: str | Path, name: str) -> Self:
        """Make `root/NAME-YYYYmmdd-HHMMSS`, with `-2`, `-3`, ... when it is taken, and lock it.

        Raises:
            RunError: the name cannot be a folder name, or the folder cannot be made.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
            rule = "must be letters, digits, '.', '_' or '-', at most 100, starting with a letter or digit"
            raise RunError("run.name", name, rule=rule)
        stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        try:
            path = _make_unique(Path(root), stem)
        except OSError as error:
            raise RunError("run.root", str(root), rule=f"cannot hold run directories: {error.strerror}") from None
        return cls.at(path)

    @classmethod
    def at(cls, path: Path) -> Self:
        """Make or lock the run directory at a place of its own, such as that of a pipeline's stage.

        Raises:
            RunError: it is in use.
        """
        for folder in ("samples", "checkpoints", "eval"):
            (path / folder).mkdir(parents=True, exist_ok=True)
        run = cls(path.resolve())
        run.lock.acquire()
        return run

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Lock an existing run directory, to resume it.

        Raises:
            RunError: it is no run directory, or in use.
        """
        run = cls(Path(path).resolve())
        if not run.config.is_file():
            raise RunError(str(path), rule="is not a run directory (no config.yaml)")
        run.lock.acquire()
        return run

    def close(self) -> None:
        """Release the lock."""
        self.lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The folder's name, unique under its root."""
        return self.path.resolve().name

    @property
    def config(self) -> Path:
        """The resolved config."""
        return self.path / "config.yaml"

    @property
    def manifest(self) -> Path:
        """What the run depends on and how it ended."""
        return self.path / "manifest.json"

    @property
    def metrics(self) -> Path:
        """One JSON object a line."""
        return self.path / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        """Folder of every response, one Parquet file a step."""
        return self.path / "samples"

    @property
    def checkpoints(self) -> Path:
        """Folder of `step-000020/` folders."""
        return self.path / "checkpoints"

    @property
    def evaluations(self) -> Path:
        """Folder of evaluation reports and predictions."""
        return self.path / "eval"

    @property
    def report(self) -> Path:
        """The rendered report."""
        return self.path / "report.html"

    @property
    def log(self) -> Path:
        """The run's log file."""
        return self.path / "log.txt"

    def list_checkpoints(self) -> list[Path]:
        """Return complete-looking checkpoint folders, oldest step first; whether one loads is the learner's to say."""
        return [path for _, path in sorted(_numbered(self.checkpoints, r"step-(\d+)")) if path.is_dir()]

    def list_samples(self) -> list[tuple[int, Path]]:
        """Return (step, Parquet file) of every journalled step, in order."""
        return sorted(_numbered(self.samples, r"step-(\d+)\.parquet"))


def find_run(run: str, root: str | Path) -> RunDirectory:
    """Find a run by path, by its name under `root`, or the newest one by the word `latest`.

    Raises:
        RunError: there is no such run.
    """
    known = {found.name: found for found in iterate_runs(root)}
    if run == "latest" and known:
        return known[max(known, key=lambda name: known[name].config.stat().st_mtime)]
    for candidate in (RunDirectory(Path(run)), RunDirectory(Path(root) / run)):
        if candidate.config.is_file():
            return candidate
    fix = nearest(run, known) or "`emocal-rl runs list` shows what there is."
    raise RunError("RUN", run, rule=f"no run of this name in {root}, and no run directory of this path", fix=fix)


def iterate_runs(root: str | Path) -> Iterator[RunDirectory]:
    """Yield the run directories under `root`, by name."""
    for config in sorted(Path(root).glob("*/config.yaml")):
        yield RunDirectory(config.parent)


def _make_unique(root: Path, stem: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = root / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        else:
            return path


def _numbered(folder: Path, pattern: str) -> Iterator[tuple[int, Path]]:
    for path in folder.glob("*"):
        match = re.fullmatch(pattern, path.name)
        if match:
            yield int(match[1]), path
