from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from emocal_rl.actors.learner.examples import SFTExample, SFTItem, encode_demonstration
from emocal_rl.actors.sequence_encoding import SequenceEncoder


class DemonstrationEncoder:
    """Tokenises demonstrations and decodes and processes their images, one batch ahead of the training.

    All encoding happens on one thread, so that caches need no lock; image decoding and tokenising leave the
    interpreter lock to the training most of the time.

    Args:
        encoder: of the policy.
    """

    def __init__(self, encoder: SequenceEncoder) -> None:
        self._encoder = encoder
        threads = (torch.get_num_threads(),)  # a new thread would start with OpenMP's own default
        self._thread = ThreadPoolExecutor(1, "encoding", torch.set_num_threads, threads)
        self._prepared: dict[tuple[str, ...], Future[list[SFTExample]]] = {}

    def prepare(self, items: Sequence[SFTItem]) -> None:
        """Begin to encode what a later call of `encode` will ask for, and return at once."""
        self._prepared[_ids(items)] = self._thread.submit(self._run, items)

    def encode(self, items: Sequence[SFTItem]) -> list[SFTExample]:
        """Return the encoded items; waits only for what has not been prepared.

        Raises:
            DataError: an image cannot be decoded.
        """
        prepared = self._prepared.pop(_ids(items), None) or self._thread.submit(self._run, items)
        return prepared.result()

    def _run(self, items: Sequence[SFTItem]) -> list[SFTExample]:
        return [encode_demonstration(item, self._encoder) for item in items]


def _ids(items: Sequence[SFTItem]) -> tuple[str, ...]:
    return tuple(item.demonstration.sample.id for item in items)
