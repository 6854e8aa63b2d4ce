"""Stage-2 data: the scaffold model's own responses with the confidence that equation 2 gives them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import ray

from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.platform.config.rollout import SamplingConfig
from emocal_rl.platform.contracts import DemonstrationSample, Response, RolloutGroup, Sample, SamplingParameters
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_question
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.responses.grammar import confidence_span, parse_response
from emocal_rl.stages.confidence_label import confidence_label, mean_token_probability
from emocal_rl.stages.image_feed import ImageFeed

_CHUNK = 256
"""Samples whose images are in the object store at the same time."""


@dataclass(frozen=True)
class Labelled:
    """Demonstrations for stage 2 and what the labelling saw."""

    demonstrations: tuple[DemonstrationSample, ...]
    dropped: dict[str, int]
    mean_when_right: float
    mean_when_wrong: float
    accuracy: float

    def summary(self) -> dict[str, float | int | dict[str, int]]:
        """Plain data for a manifest."""
        return {
            "kept": len(self.demonstrations),
            "dropped": self.dropped,
            "mean_when_right": self.mean_when_right,
            "mean_when_wrong": self.mean_when_wrong,
            "accuracy": self.accuracy,
        }


def label_confidence(
    rollouts: RolloutPool,
    samples: Sequence[Sample],
    sampling: SamplingConfig,
    feed: ImageFeed,
    progress: Progress,
    *,
    seed: int,
) -> Labelled:
    """Sample one response per image from the scaffold model and append c* of equation 2 to it.

    p is the mean probability of the response's tokens as they were sampled, at `sampling.temperature`. A response that
    is malformed, cut off or answers outside the taxonomy is dropped and counted.
    """
    progress.phase("confidence labels", len(samples))
    parameters = SamplingParameters(1, sampling.temperature, sampling.max_new_tokens, sampling.top_p, seed)
    demonstrations: list[DemonstrationSample | None] = [None] * len(samples)
    dropped: Counter[str] = Counter()
    right: list[float] = []
    wrong: list[float] = []
    for start in range(0, len(samples), _CHUNK):
        requests = feed.requests(samples[start : start + _CHUNK], parameters)
        for index, ref in rollouts.stream(requests):
            group: RolloutGroup = ray.get(ref)
            labelled = label_response(group.sample, group.responses[0])
            progress.advance()
            if isinstance(labelled, str):
                dropped[labelled] += 1
                continue
            demonstrations[start + index], confidence, is_right = labelled
            (right if is_right else wrong).append(confidence)
    kept = tuple(demonstration for demonstration in demonstrations if demonstration is not None)
    return Labelled(
        kept,
        dict(dropped),
        mean_when_right=float(np.mean(right)) if right else float("nan"),
        mean_when_wrong=float(np.mean(wrong)) if wrong else float("nan"),
        accuracy=len(right) / max(1, len(kept)),
    )


def label_response(sample: Sample, response: Response) -> tuple[DemonstrationSample, float, bool] | str:
    """Return the demonstration, its confidence and whether the answer is right; or the reason there is none."""
    if response.finish_reason == "length":
        return "truncated"
    parsed = parse_response(response.text, with_confidence=False)
    if not parsed.well_formed or parsed.answer is None:
        return "malformed"
    taxonomy = taxonomy_of_question(sample.task, sample.candidates)
    answer, label = taxonomy.resolve(parsed.answer), taxonomy.resolve(sample.label)
    if answer is None or label is None:
        return "outside the taxonomy"
    confidence = confidence_label(answer, label, mean_token_probability(response.logprobs), taxonomy)
    text = f"{response.text.rstrip()}<confidence>{confidence:.2f}</confidence>"
    span = confidence_span(text)
    assert span is not None
    demonstration = DemonstrationSample(sample, text, loss_spans=(span,), loss_on_end=True)
    return demonstration, confidence, answer == label
