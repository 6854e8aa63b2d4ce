from dataclasses import dataclass
from pathlib import Path

from emocal_rl.platform.data.location import is_url
from emocal_rl.platform.errors import UserError


@dataclass(frozen=True, slots=True)
class SynthesisFiles:
    """Where a synthesis writes: kept rows to `out`, everything else into a folder beside it."""

    out: Path

    @classmethod
    def at(cls, out: str) -> "SynthesisFiles":
        """Check the path a user has given.

        Raises:
            UserError: it is not a local .jsonl file.
        """
        if is_url(out) or not out.endswith(".jsonl"):
            raise UserError("--out", out, rule="must be a local .jsonl file", fix="Copy the result where it should go.")
        return cls(Path(out).absolute())

    @property
    def folder(self) -> Path:
        """The folder of the files below, `OUT` without its suffix and `.synthesis` in its place."""
        return self.out.with_suffix(".synthesis")

    @property
    def journal(self) -> Path:
        """Every reply of teacher and judge, in the order they came."""
        return self.folder / "journal.jsonl"

    @property
    def rejected(self) -> Path:
        """Rejected samples with the reasons, what was written and the judge's words."""
        return self.folder / "rejected.jsonl"

    @property
    def summary(self) -> Path:
        """Counts, tokens and cost."""
        return self.folder / "summary.json"
