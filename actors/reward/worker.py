from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from emocal_rl.actors.reward.kl_penalty import with_kl_penalty
from emocal_rl.actors.reward.scoring_process import ScoringProcess
from emocal_rl.platform.config.reward import AdvantageConfig, LossConfig, RewardConfig
from emocal_rl.platform.contracts import RewardedResponse, RolloutGroup, Sample, ScoredGroup
from emocal_rl.platform.responses.grammar import confidence_span
from emocal_rl.rewards.advantages import group_advantages
from emocal_rl.rewards.composition import term_weights
from emocal_rl.rewards.group_scoring import Text
from emocal_rl.rewards.registry import SCHEMES


class RewardWorker:
    """Scores whole groups: reward terms in killable processes with a deadline, then the group's advantages.

    Args:
        config: the composition, the number of processes and the deadline of one response.
        advantage: the estimator of advantages.
        search_path: extra import path of the scoring processes, where the user's plug-in lives.
        loss: whether and how the KL to the reference is a penalty of the reward.

    Raises:
        RewardError: the composition cannot be built (unknown rule, bad parameter, plug-in that does not import).
    """

    def __init__(
        self, config: RewardConfig, advantage: AdvantageConfig, search_path: str = "", loss: LossConfig | None = None
    ) -> None:
        self._advantage, self._loss, self._teaches = advantage, loss or LossConfig(), config.confidence.teaches
        terms = (config.format, config.correctness, config.confidence)
        self._asks_a_server = any(term.rule.startswith(SCHEMES) for term in terms)
        self._idle: SimpleQueue[ScoringProcess] = SimpleQueue()
        self._processes = [ScoringProcess(config, search_path) for _ in range(config.num_processes)]
        for process in self._processes:
            process.start()
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(config.num_processes, thread_name_prefix="score")
        self._weights = term_weights(config, self._loss)

    def score(
        self, group: RolloutGroup, reference_logprobs: Sequence[npt.NDArray[np.float32]] | None = None
    ) -> ScoredGroup:
        """Reward every response of `group` and compute the advantages over those that are not masked.

        Args:
            group: a sample and its responses.
            reference_logprobs: (T,) per response; given where the KL is a penalty of the reward.
        """
        texts: list[Text] = [(response.text, response.finish_reason) for response in group.responses]
        # Responses have a deadline each, but a server is asked once a group.
        parts = [texts] if self._asks_a_server else [[text] for text in texts]
        scored = self._threads.map(lambda part: self._score(group.sample, part), parts)
        rewarded = tuple(chain.from_iterable(scored))
        if reference_logprobs is not None:
            rewarded = with_kl_penalty(rewarded, group.responses, reference_logprobs, self._loss)
        advantages = group_advantages(
            [response.total for response in rewarded],
            [response.masked is not None for response in rewarded],
            self._advantage,
            [response.terms for response in rewarded],
            self._weights,
            stated=self._stated(group, rewarded),
        )
        return ScoredGroup(
            sample_id=group.sample.id,
            task=group.sample.task,
            rewarded=rewarded,
            advantages=advantages.values,
            num_tokens=tuple(len(response.token_ids) for response in group.responses),
            prompt_tokens=len(group.prompt_token_ids),
            weight_versions=tuple(response.weight_version for response in group.responses),
            finish_reasons=tuple(response.finish_reason for response in group.responses),
            texts=tuple(response.text for response in group.responses),
            zero_variance=advantages.zero_variance,
            confidence_advantages=advantages.confidences,
        )

    def process_ids(self) -> list[int]:
        """Ids of the live scoring processes."""
        return [process.pid for process in self._processes if process.pid is not None]

    def close(self) -> None:
        """Kill every scoring process."""
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.close()

    def _stated(self, group: RolloutGroup, rewarded: Sequence[RewardedResponse]) -> list[bool] | None:
        """Which responses have confidence tokens to teach; None where the confidence term teaches whole responses."""
        if self._teaches == "response":
            return None
        return [
            judged.confidence is not None and confidence_span(response.text) is not None
            for response, judged in zip(group.responses, rewarded, strict=True)
        ]

    def _score(self, sample: Sample, texts: Sequence[Text]) -> list[RewardedResponse]:
        process = self._idle.get()
        try:
            return process.score(sample, texts)
        finally:
            self._idle.put(process)
