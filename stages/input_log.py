import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from emocal_rl.platform.contracts import DemonstrationInput
from emocal_rl.platform.runs.atomic import write_text


class InputLog:
    """`inputs.jsonl`: for every demonstration of every step what the model was given of it, image sizes included.

    Args:
        path: the file; a resumed run goes on in it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, step: int, inputs: Iterable[DemonstrationInput]) -> None:
        """Write one step's demonstrations."""
        rows = (json.dumps({"step": step, **asdict(given)}) + "\n" for given in inputs)
        with self._path.open("a", encoding="utf-8") as file:
            file.write("".join(rows))

    def forget_after(self, step: int) -> None:
        """Remove the rows of later steps, which a resumed run writes again, and a line that a crash tore."""
        if not self._path.exists():
            return
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        write_text(self._path, "".join(kept))
