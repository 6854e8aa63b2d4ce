from collections.abc import Sequence
from dataclasses import dataclass, replace

from emocal_rl.platform.config.stages import PromptName
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.prompts import zero_shot_text


@dataclass(frozen=True, slots=True)
class Question:
    """A sample as it is asked, for the `repeat`-th time (from 0). `index` is its place in the journal."""

    index: int
    sample: Sample
    repeat: int = 0


def asked(sample: Sample, prompt: PromptName) -> Sample:
    """Return the sample with the question that `prompt` puts in the place of its own."""
    if prompt == "trained":
        return sample
    question = zero_shot_text(sample.candidates, confidence=prompt == "zero-shot-confidence")
    return replace(sample, question=question)


def questions_of(samples: Sequence[Sample], chosen: Sequence[int], num_repeats: int) -> list[Question]:
    """Return the questions about the chosen samples, all repeats of one behind each other: they share their images.

    Neither another choice nor more repeats change the index of a question.
    """
    return [
        Question(repeat * len(samples) + index, samples[index], repeat)
        for index in chosen
        for repeat in range(num_repeats)
    ]
