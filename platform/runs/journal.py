import json
import math
import os
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.platform.runs.directory import RunDirectory

Kind = Literal["train", "validation", "sft", "event"]


class Journal:
    """The run's `metrics.jsonl`: one JSON object a line, appended so that a crash costs at most the last line.

    Opening repairs a line that an earlier crash tore. Every row has `kind` and `time` (unix seconds); a number that is
    not finite is written as null, since JSON has none.
    """

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        _repair(run)
        self._file = os.open(run.metrics, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def append(self, kind: Kind, values: Mapping[str, object], *, step: int | None = None) -> dict[str, Any]:
        """Append one row and return it as written."""
        head = {"kind": kind, "time": round(time.time(), 3), **({} if step is None else {"step": step})}
        row = {name: _plain(value) for name, value in {**head, **values}.items()}
        # One write of the whole line in append mode: a reader or a crash sees all of it or its beginning.
        os.write(self._file, (json.dumps(row, allow_nan=False) + "\n").encode())
        return row

    def event(self, name: str, message: str) -> None:
        """Append something that happened: a restart, a skipped step, a resume."""
        self.append("event", {"name": name, "message": message})

    def truncate_after(self, step: int, kinds: Collection[Kind] = ("train", "validation")) -> None:
        """Forget the rows of some kinds after `step`, and samples: a resumed run will write them again."""
        kept = [row for row in read_journal(self._run) if row["kind"] not in kinds or row.get("step", 0) <= step]
        os.close(self._file)
        write_text(self._run.metrics, "".join(json.dumps(row) + "\n" for row in kept))
        self._file = os.open(self._run.metrics, os.O_WRONLY | os.O_APPEND)
        for written, path in self._run.list_samples():
            if written > step:
                path.unlink()

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_journal(run: RunDirectory, kind: Kind | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows (of one kind), oldest first; a torn last line is left out."""
    if not run.metrics.exists():
        return
    with run.metrics.open(encoding="utf-8") as stream:
        for line in stream:
            row = _parse(line)
            if row is not None and kind in (None, row["kind"]):
                yield row


def _repair(run: RunDirectory) -> None:
    """Cut a torn last line off; one that only lost its newline gets it back."""
    if not run.metrics.exists():
        return
    content = run.metrics.read_bytes()
    end = content.rfind(b"\n") + 1
    tail = content[end:]
    if tail:
        complete = _parse(tail.decode(errors="replace")) is not None
        with run.metrics.open("r+b") as stream:
            stream.truncate(len(content) if complete else end)
            if complete:
                stream.seek(0, os.SEEK_END)
                stream.write(b"\n")


def _parse(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and "kind" in row else None


def _plain(value: object) -> object:
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
