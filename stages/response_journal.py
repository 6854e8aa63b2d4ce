import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from emocal_rl.platform.errors import RunError

Settings = Mapping[str, object]
"""What the sampled responses depend on, by config key."""
Kept = TypeVar("Kept")
"""A dataclass of what is kept of a response: JSON values only."""


class ResponseJournal(Generic[Kept]):
    """Responses as they were sampled, a JSON line each, so that none is sampled twice. The first line is the settings.

    A line is written at once when its response arrives: a crash tears the last one at most, and opening repairs it.
    What is made of the responses is no part of it: it can be made anew, in another way.

    Args:
        path: a local file; created with its folder where there is none.
        settings: what the responses depend on; a journal of other settings is refused.
        kind: of what is kept of a response.

    Raises:
        RunError: the journal has other settings, is damaged, or is in use by another process.
    """

    def __init__(self, path: Path, settings: Settings, kind: type[Kept]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _lock(self._file, path)
            self.responses = read_responses(path, settings, kind)
            os.ftruncate(self._file, path.read_bytes().rfind(b"\n") + 1)
            if os.fstat(self._file).st_size == 0:
                self._write({"settings": dict(settings)})
        except BaseException:
            os.close(self._file)
            raise

    def append(self, index: int, response: Kept) -> None:
        """Keep the response to the question with this index."""
        self._write({"index": index, **asdict(response)})  # type: ignore[call-overload]  # a dataclass
        self.responses[index] = response

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def _write(self, row: Mapping[str, Any]) -> None:
        os.write(self._file, (json.dumps(row) + "\n").encode())


def read_responses(path: Path, settings: Settings, kind: type[Kept]) -> dict[int, Kept]:
    """Return the responses a journal holds, by the question's index; none where there is no journal.

    Raises:
        RunError: it has other settings, or is damaged.
    """
    if not path.exists():
        return {}
    lines = path.read_bytes().split(b"\n")[:-1]  # what follows the last newline is torn
    responses: dict[int, Kept] = {}
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            if number == 1:
                _check_settings(path, row["settings"], settings)
            else:
                index = row.pop("index")
                responses[index] = kind(**row)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            fix = "Delete the journal to begin again, or choose another --out."
            raise RunError(f"{path}:{number}", rule="is not a line of a response journal", fix=fix) from error
    return responses


def _check_settings(path: Path, earlier: dict[str, object], settings: Settings) -> None:
    now = json.loads(json.dumps(dict(settings)))
    changed = [key for key in {**earlier, **now} if earlier.get(key) != now.get(key)]
    if changed:
        shown = ", ".join(f"{key} was {earlier.get(key)} and is {now.get(key)}" for key in changed)
        fix = "Give the earlier settings again, choose another --out, or delete the journal."
        raise RunError(str(path), rule=f"holds responses sampled with other settings: {shown}", fix=fix)


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fix = "Wait for it to end, or stop it."
        raise RunError(str(path), rule="is in use by another process", fix=fix) from None
