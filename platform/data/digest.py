import hashlib
import json
from collections.abc import Iterable

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.samples import Example, sample_of


class StreamDigest:
    """SHA-256 of a stream of examples: everything they hold, in order, but not the file and line they came from."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def update(self, example: Example) -> None:
        """Take in the next example."""
        sample = sample_of(example)
        values: list[object] = [
            sample.id, sample.images, sample.question, sample.candidates, sample.label, sample.task, sample.system
        ]  # fmt: skip
        if not isinstance(example, Sample):
            values += [example.response, example.loss_spans, example.loss_on_end]
        self._hash.update(json.dumps(values).encode() + b"\n")

    def hexdigest(self) -> str:
        """Return the digest of what was taken in so far."""
        return self._hash.hexdigest()


def digest_of(examples: Iterable[Example]) -> str:
    """Return the digest of a whole stream."""
    digest = StreamDigest()
    for example in examples:
        digest.update(example)
    return digest.hexdigest()
