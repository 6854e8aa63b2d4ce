from collections.abc import Sequence
from dataclasses import dataclass

from emocal_rl.benchmarks.suites.suite import Suite
from emocal_rl.platform.contracts import Sample


@dataclass(frozen=True, slots=True)
class Question:
    """A sample as it is asked, for the `repeat`-th time (from 0). `index` is its place in the journal.

    With `first_words` the probabilities that the answer begins with each are wanted, and no more of it is.
    """

    index: int
    sample: Sample
    repeat: int = 0
    first_words: tuple[str, ...] = ()


def questions_of(suite: Suite, samples: Sequence[Sample], chosen: Sequence[int], num_repeats: int) -> list[Question]:
    """Return the questions about the chosen samples, all repeats of one behind each other: they share their images.

    Neither another choice nor more repeats change the index of a question.
    """
    return [
        Question(repeat * len(samples) + index, samples[index], repeat, suite.first_words(samples[index]))
        for index in chosen
        for repeat in range(num_repeats)
    ]
