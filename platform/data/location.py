import os
import posixpath
import re
from dataclasses import dataclass

_PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_LOCAL_PROTOCOLS = frozenset({"", "file", "local", "memory", "zip", "tar"})


@dataclass(frozen=True, slots=True)
class Location:
    """A normalised place: a local path (`protocol` empty, `path` absolute) or an fsspec URL.

    `chain` is what follows the first `::` of a chained URL, such as the archive of `zip://inner.png::/data/x.zip`.
    Normalising is lexical: symbolic links are followed, because whoever owns the folder has put them there.
    """

    protocol: str
    path: str
    chain: str = ""

    @classmethod
    def parse(cls, url: str) -> "Location":
        """Read a path or URL; a relative path is relative to the working directory."""
        head, _, chain = url.partition("::")
        match = _PROTOCOL.match(head)
        if match is None or match[1] in {"file", "local"}:
            path = head[match.end() :] if match else head
            return cls("", os.path.abspath(os.path.expanduser(path)), chain)  # noqa: PTH100, PTH111  # keep symlinks
        return cls(match[1].lower(), _normalize(head[match.end() :]), chain)

    def __str__(self) -> str:
        head = f"{self.protocol}://{self.path.lstrip('/')}" if self.protocol else self.path
        return f"{head}::{self.chain}" if self.chain else head

    @property
    def is_remote(self) -> bool:
        """Whether reading it leaves this machine."""
        protocols = {self.protocol, *(found.lower() for found in _PROTOCOL.findall(self.chain))}
        return not protocols <= _LOCAL_PROTOCOLS

    @property
    def parent(self) -> "Location":
        """The folder that holds it."""
        return Location(self.protocol, posixpath.dirname(self.path), self.chain)

    @property
    def stem(self) -> str:
        """The file's name without its suffixes (`rows.jsonl.gz` is `rows`)."""
        return posixpath.basename(self.path).split(".", 1)[0]

    def join(self, relative: str) -> "Location":
        """Return the place that `relative` names below this folder; `..` may lead out of it."""
        return Location(self.protocol, _normalize(posixpath.join(self.path, relative)), self.chain)

    def contains(self, other: "Location") -> bool:
        """Whether `other` is this folder or lies below it."""
        if (self.protocol, self.chain) != (other.protocol, other.chain):
            return False
        return other.path == self.path or other.path.startswith(self.path.rstrip("/") + "/")

    def relative(self, other: "Location") -> str:
        """Return `other`, which this folder contains, as a path relative to it."""
        return posixpath.relpath(other.path, self.path)


def is_url(reference: str) -> bool:
    """Whether a reference names a protocol (`s3://...`)."""
    return _PROTOCOL.match(reference) is not None


def _normalize(path: str) -> str:
    """Absolute and without `.` and `..`; `..` at the top stays at the top."""
    return posixpath.normpath("/" + path.lstrip("/"))
