"""Ask the policy every question of a test set once, and score the answers under the `strict` protocol."""

from collections.abc import Sequence

import ray

from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.benchmarks.vecbench.evaluation import Evaluation, score
from emocal_rl.platform.contracts import Sample, SamplingParameters
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import Progress
from emocal_rl.stages.image_feed import ImageFeed

__all__ = ["Evaluation", "evaluate", "score"]

_CHUNK = 256
"""Requests whose images are in the object store at the same time."""


def evaluate(
    rollouts: RolloutPool,
    samples: Sequence[Sample],
    sampling: SamplingParameters,
    feed: ImageFeed,
    progress: Progress,
    *,
    name: str,
    oracle: Oracle | None = None,
    num_bins: int = 10,
) -> Evaluation:
    """Answer every sample once with the policy's present weights and score the predictions.

    A sample that cannot be asked, its prompt being too long, say, is a failed inference.

    Raises:
        DataError: none of them can.
    """
    progress.phase(name.replace("_", " "), len(samples))
    predictions: list[Prediction | None] = [None] * len(samples)
    failures: list[DataError] = []
    for start in range(0, len(samples), _CHUNK):
        requests = feed.requests(samples[start : start + _CHUNK], sampling)
        refused: dict[int, DataError] = {}
        for index, ref in rollouts.stream(requests, refused.__setitem__):
            response = ray.get(ref).responses[0].text
            predictions[start + index] = Prediction.of(samples[start + index], response=response)
            progress.advance()
        for index, error in refused.items():
            predictions[start + index] = Prediction.of(samples[start + index], error=str(error))
            progress.advance()
        failures += refused.values()
    if failures:
        if len(failures) == len(samples):
            raise failures[0]
        progress.message(f"{len(failures)} of {len(samples)} samples have no answer; the first: {failures[0]}")
    answered = [prediction for prediction in predictions if prediction is not None]
    return score(answered, sampling.temperature, name=name, oracle=oracle, num_bins=num_bins)
