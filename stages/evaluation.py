"""Ask the policy every question of a test set once, and score the answers under the `strict` protocol."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import ray

from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.benchmarks.vecbench.evaluation import Evaluation, score
from emocal_rl.platform.contracts import Sample, SamplingParameters
from emocal_rl.platform.data.digest import digest_of
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import Progress
from emocal_rl.stages.batches_ahead import stream_ahead
from emocal_rl.stages.image_feed import ImageFeed
from emocal_rl.stages.response_journal import ResponseJournal

__all__ = ["Evaluation", "answers_so_far", "evaluate", "score"]


@dataclass(frozen=True, slots=True)
class Said:
    """What is kept of a response."""

    text: str


@contextmanager
def answers_so_far(folder: Path, name: str) -> Iterator[Path]:
    """Yield the journal of an evaluation, which an error or a kill leaves behind for the next attempt."""
    journal = folder / f"{name}.journal"
    yield journal
    journal.unlink(missing_ok=True)


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
    journal: Path | None = None,
) -> Evaluation:
    """Answer every sample once with the policy's present weights and score the predictions.

    A sample that cannot be asked, its prompt being too long, say, is a failed inference. Answers are kept in `journal`
    as they come; what it has of an earlier attempt, by the same weights, is not asked.

    Raises:
        DataError: no sample can be asked.
        RunError: the journal is of other samples or sampling parameters, or damaged.
    """
    progress.phase(name.replace("_", " "), len(samples))
    failures: dict[int, DataError] = {}
    with ExitStack() as stack:
        kept = None
        if journal is not None:
            settings = {"samples": digest_of(samples), **asdict(sampling)}
            kept = stack.enter_context(ResponseJournal(journal, settings, Said))
        said = dict(kept.responses) if kept else {}
        progress.advance(len(said))
        open_ = [index for index in range(len(samples)) if index not in said]

        def refused(number: int, error: DataError) -> None:
            failures[open_[number]] = error
            progress.advance()

        asked = [samples[index] for index in open_]
        for number, ref in stream_ahead(rollouts, asked, lambda part: feed.requests(part, sampling), refused):
            index = open_[number]
            said[index] = Said(ray.get(ref).responses[0].text)
            if kept is not None:
                kept.append(index, said[index])
            progress.advance()
    if failures:
        if len(failures) == len(samples):
            raise failures[0]
        first = failures[min(failures)]
        progress.message(f"{len(failures)} of {len(samples)} samples have no answer; the first: {first}")
    answered = [
        Prediction.of(sample, error=str(failures[index]))
        if index in failures
        else Prediction.of(sample, response=said[index].text)
        for index, sample in enumerate(samples)
    ]
    return score(answered, sampling.temperature, name=name, oracle=oracle, num_bins=num_bins)
