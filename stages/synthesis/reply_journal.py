"""Every reply that came, appended as it came: the only state of a synthesis, so a kill costs what was in flight."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emocal_rl.platform.errors import RunError
from emocal_rl.stages.chat.exchange import Reply
from emocal_rl.stages.chat.usage import Usage


class ReplyJournal:
    """The journal of one output. Replies stay on disk: memory holds an offset for each.

    The first line holds the settings that replies depend on. Opening cuts a line off that an earlier kill tore.

    Args:
        path: the file, made if it is not there.
        settings: what the replies depend on; a journal that has replies under others is refused.

    Raises:
        RunError: the settings differ, naming the first that does, or a line cannot be read.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self._path = path
        self._offsets: dict[str, list[int]] = {}
        self.usage = Usage()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._reader = path.open("rb")
        self._end = 0
        found = self._load()
        if found != settings:
            if self.usage.num_replies:
                raise _other_settings(path, found or {}, settings)
            os.ftruncate(self._file, 0)
            self._end = 0
            self._write({"settings": settings})

    def append(self, reply: Reply) -> None:
        """Keep a reply for good."""
        self._count(reply, self._end)
        self._write(asdict(reply))

    def replies(self, sample_id: str) -> tuple[Reply, ...]:
        """Return the replies about a sample, oldest first."""
        return tuple(self._read(offset) for offset in self._offsets.get(sample_id, ()))

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        os.close(self._file)

    def __enter__(self) -> "ReplyJournal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _load(self) -> Mapping[str, Any] | None:
        """Index the replies, cut a torn last line off, and return the settings of the first line."""
        settings = None
        for offset, line in self._lines():
            if offset == 0:
                settings = self._parse(line, offset).get("settings")
            else:
                self._count(self._reply(line, offset), offset)
            self._end = offset + len(line)
        os.ftruncate(self._file, self._end)
        return settings

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        offset = 0
        for line in self._reader:
            if line.endswith(b"\n"):
                yield offset, line
            offset += len(line)

    def _parse(self, line: bytes, offset: int) -> dict[str, Any]:
        try:
            row: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise self._unreadable(offset, f"is not JSON: {error}") from error
        return row

    def _unreadable(self, offset: int, rule: str) -> RunError:
        fix = "Remove that line; its sample is asked again."
        return RunError(str(self._path), rule=f"the line at byte {offset} {rule}", fix=fix)

    def _read(self, offset: int) -> Reply:
        self._reader.seek(offset)
        return self._reply(self._reader.readline(), offset)

    def _reply(self, line: bytes, offset: int) -> Reply:
        try:
            return Reply(**self._parse(line, offset))
        except TypeError as error:
            raise self._unreadable(offset, f"is no reply: {error}") from error

    def _count(self, reply: Reply, offset: int) -> None:
        self._offsets.setdefault(reply.sample_id, []).append(offset)
        self.usage.count(reply)

    def _write(self, row: Mapping[str, Any]) -> None:
        # One write of the whole line in append mode: a kill leaves all of it or its beginning.
        line = json.dumps(row).encode() + b"\n"
        os.write(self._file, line)
        self._end += len(line)


def _other_settings(path: Path, found: Mapping[str, Any], settings: Mapping[str, Any]) -> RunError:
    name = next(key for key in (*settings, *found) if found.get(key) != settings.get(key))
    rule = f"the replies in {path} were given under {name} = {found.get(name)!r}"
    fix = "Put it back, choose another --out, or remove that folder to begin anew."
    return RunError(name, settings.get(name), rule=rule, fix=fix)
