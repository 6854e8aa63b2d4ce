from collections.abc import Sequence

import ray

from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.actors.starting import unwrapped
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import RolloutRequest, SamplingParameters
from emocal_rl.platform.errors import DataError
from emocal_rl.stages.batches_ahead import stream_ahead
from emocal_rl.stages.chat.exchange import Failure
from emocal_rl.stages.image_feed import ImageFeed
from emocal_rl.stages.inference.answer import Receive, answer_of_group
from emocal_rl.stages.inference.question import Question


class RolloutAnswerer:
    """An `Answerer`: rollout workers side by side. An answer depends on seed, repeat and sample id, not on the worker.

    Args:
        rollouts: that hold the model.
        config: `evaluation.sampling` and `run.seed` say how to sample.
    """

    def __init__(self, rollouts: RolloutPool, config: Config) -> None:
        self._rollouts, self._config = rollouts, config
        self._feed = ImageFeed(config.data)

    def answer(self, questions: Sequence[Question], receive: Receive) -> None:
        """Answer everything; see `Answerer`. A question that is too long for `rollout.max_model_len` is a failure."""
        # Those with first words apart: an engine returns log-probs of other tokens for all of a batch or for none.
        for kind in (False, True):
            of_kind = [question for question in questions if bool(question.first_words) is kind]
            refused: dict[int, DataError] = {}
            with unwrapped():
                for index, ref in stream_ahead(self._rollouts, of_kind, self._requests, refused.__setitem__):
                    receive(of_kind[index], answer_of_group(of_kind[index], ray.get(ref)))
            for index, error in refused.items():
                receive(of_kind[index], Failure(str(error)))

    def _requests(self, questions: Sequence[Question]) -> list[RolloutRequest]:
        samples = {question.sample.id: question.sample for question in questions}
        images = {sample_id: self._feed.references(sample) for sample_id, sample in samples.items()}
        return [
            RolloutRequest(question.sample, images[question.sample.id], self._sampling(question))
            for question in questions
        ]

    def _sampling(self, question: Question) -> SamplingParameters:
        sampling, seed = self._config.evaluation.sampling, self._config.run.seed + question.repeat
        if question.first_words:  # the policy's own probabilities, whatever the temperature of its answers
            return SamplingParameters(1, 1.0, 1, seed=seed, token_ends=True, first_words=question.first_words)
        return SamplingParameters(
            1, sampling.temperature, sampling.max_new_tokens, sampling.top_p, seed, token_ends=True
        )
