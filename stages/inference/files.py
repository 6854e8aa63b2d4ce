import re
from dataclasses import dataclass
from pathlib import Path

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.location import is_url
from emocal_rl.platform.errors import UserError


@dataclass(frozen=True, slots=True)
class InferenceFiles:
    """What `eval run` leaves in a folder."""

    folder: Path

    @classmethod
    def at(cls, folder: str) -> "InferenceFiles":
        """Check the folder a user has given.

        Raises:
            UserError: it is not local, or holds something else.
        """
        if is_url(folder):
            raise UserError("--out", folder, rule="must be a local folder", fix="Copy it where it should go.")
        files = cls(Path(folder).absolute())
        if files.folder.is_file() or (files.folder.is_dir() and any(files.folder.iterdir()) and not files.is_begun):
            rule = "exists already and is not from `eval run`"
            raise UserError("--out", folder, rule=rule, fix="Choose another folder.")
        return files

    @property
    def is_begun(self) -> bool:
        """Whether an earlier attempt was here."""
        return self.journal.exists()

    @property
    def journal(self) -> Path:
        """Every answer, in the order they came."""
        return self.folder / "journal.jsonl"

    @property
    def judge_journal(self) -> Path:
        """Every reply of a judge, in the order they came."""
        return self.folder / "judge-journal.jsonl"

    @property
    def summary(self) -> Path:
        """Scores, settings and cost."""
        return self.folder / "summary.json"

    def predictions(self, seed: int, num_repeats: int) -> Path:
        """VECBench rows with responses: a file for every repeat, because ids are unique in a file."""
        return self.folder / ("predictions.jsonl" if num_repeats == 1 else f"predictions-seed{seed}.jsonl")


def default_folder(config: Config, bench: str) -> str:
    """Return the folder that belongs to a model and a benchmark, so that the same command finds it again."""
    bench = bench.rpartition(":")[2]
    endpoint = config.evaluation.endpoint
    name = endpoint.model if endpoint.base_url else config.model.path
    assert name is not None
    parts = [part for part in re.split(r"[^\w.+-]+", name) if part.strip(".")]
    prompt = "" if config.evaluation.prompt == "trained" else f"-{config.evaluation.prompt}"
    return f"predictions/{'-'.join(parts[-2:])}-{bench}{prompt}"
