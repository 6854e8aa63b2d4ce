"""Stage-2 data: the scaffold model's own responses with the confidence that equation 2 gives them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ray

from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.platform.config.rollout import SamplingConfig
from emocal_rl.platform.contracts import (
    DemonstrationSample,
    FinishReason,
    Response,
    RolloutGroup,
    Sample,
    SamplingParameters,
)
from emocal_rl.platform.emotions.ring import RING_POSITIONS, Rings
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_question
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.responses.grammar import confidence_span, parse_response
from emocal_rl.stages.batches_ahead import stream_ahead
from emocal_rl.stages.confidence_label import confidence_label, mean_token_probability
from emocal_rl.stages.image_feed import ImageFeed

NUM_BINS = 20


@dataclass(frozen=True, slots=True)
class ScaffoldResponse:
    """What equation 2 needs of a response. `probability` is p, the mean probability of its tokens as sampled."""

    text: str
    probability: float
    finish_reason: FinishReason

    @classmethod
    def of(cls, response: Response) -> "ScaffoldResponse":
        """Return what is kept of a response: its tokens are not."""
        return cls(response.text, mean_token_probability(response.logprobs), response.finish_reason)


@dataclass(frozen=True, slots=True)
class LabelledSample:
    """A demonstration for stage 2, the confidence c* it states, and whether its answer is right."""

    demonstration: DemonstrationSample
    confidence: float
    is_right: bool


@dataclass(frozen=True)
class Labelled:
    """Demonstrations for stage 2, in the samples' order, and why the other samples have none."""

    samples: tuple[LabelledSample, ...]
    dropped: dict[str, int]

    @property
    def demonstrations(self) -> tuple[DemonstrationSample, ...]:
        """What stage 2 trains on."""
        return tuple(labelled.demonstration for labelled in self.samples)

    def summary(self) -> dict[str, Any]:
        """Plain data: counts, means, the histogram of c* (equal bins over [0, 1]), and the same by task."""
        tasks: dict[str, list[LabelledSample]] = {}
        for labelled in self.samples:
            tasks.setdefault(labelled.demonstration.sample.task, []).append(labelled)
        return {
            "kept": len(self.samples),
            "dropped": self.dropped,
            **_figures(self.samples),
            "histogram": {
                "right": _histogram(labelled.confidence for labelled in self.samples if labelled.is_right),
                "wrong": _histogram(labelled.confidence for labelled in self.samples if not labelled.is_right),
            },
            "tasks": {task: _figures(of_task) for task, of_task in sorted(tasks.items())},
        }


def sample_scaffold(
    rollouts: RolloutPool,
    samples: Sequence[Sample],
    sampling: SamplingConfig,
    feed: ImageFeed,
    refused: Callable[[int, DataError], object] | None = None,
    *,
    seed: int,
) -> Iterator[tuple[int, ScaffoldResponse]]:
    """Sample one response per sample from the scaffold model; yield (index of the sample, response) as they finish.

    `refused` is told of each sample that cannot be asked, as in `RolloutPool.stream`.
    """
    parameters = SamplingParameters(1, sampling.temperature, sampling.max_new_tokens, sampling.top_p, seed)
    for index, ref in stream_ahead(rollouts, samples, lambda part: feed.requests(part, parameters), refused):
        group: RolloutGroup = ray.get(ref)
        yield index, ScaffoldResponse.of(group.responses[0])


def label_responses(
    samples: Sequence[Sample], responses: Mapping[int, ScaffoldResponse], rings: Rings = RING_POSITIONS
) -> Labelled:
    """Append c* of equation 2 to the response of every sample.

    A response that is cut off, malformed, or answers outside the taxonomy is dropped and counted; so is a sample that
    has none.

    Args:
        samples: the questions and their labels.
        responses: the scaffold's response by the sample's index.
        rings: where the distances come from.
    """
    outcomes = [
        label_response(sample, responses[index], rings) if index in responses else "not answered"
        for index, sample in enumerate(samples)
    ]
    return Labelled(
        tuple(outcome for outcome in outcomes if isinstance(outcome, LabelledSample)),
        dict(Counter(outcome for outcome in outcomes if isinstance(outcome, str))),
    )


def label_response(sample: Sample, response: ScaffoldResponse, rings: Rings = RING_POSITIONS) -> LabelledSample | str:
    """Return the labelled response, loss on its confidence alone (equation 3); or the reason there is none."""
    if response.finish_reason == "length":
        return "truncated"
    parsed = parse_response(response.text, with_confidence=False)
    if not parsed.well_formed or parsed.answer is None:
        return "malformed"
    taxonomy = taxonomy_of_question(sample.task, sample.candidates)
    answer, label = taxonomy.resolve(parsed.answer), taxonomy.resolve(sample.label)
    if answer is None or label is None:
        return "outside the taxonomy"
    confidence = confidence_label(answer, label, response.probability, taxonomy, rings)
    text = f"{response.text.rstrip()}<confidence>{confidence:.2f}</confidence>"
    span = confidence_span(text)
    assert span is not None
    return LabelledSample(DemonstrationSample(sample, text, loss_spans=(span,)), confidence, answer == label)


def _figures(samples: Sequence[LabelledSample]) -> dict[str, float | int | None]:
    right = [labelled.confidence for labelled in samples if labelled.is_right]
    wrong = [labelled.confidence for labelled in samples if not labelled.is_right]
    return {
        "right": len(right),
        "wrong": len(wrong),
        "accuracy": len(right) / len(samples) if samples else None,
        "mean_when_right": _mean(right),
        "mean_when_wrong": _mean(wrong),
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _histogram(confidences: Iterator[float]) -> list[int]:
    """Counts in equal bins, the last one closed. c* has two decimals, so that bins are exact in hundredths."""
    counts = Counter(min(round(confidence * 100) * NUM_BINS // 100, NUM_BINS - 1) for confidence in confidences)
    return [counts[index] for index in range(NUM_BINS)]
