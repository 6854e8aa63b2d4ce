from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from emocal_rl.actors.reward.scoring_process import ScoringProcess
from emocal_rl.platform.config.reward import AdvantageConfig, RewardConfig
from emocal_rl.platform.contracts import Response, RewardedResponse, RolloutGroup, Sample, ScoredGroup
from emocal_rl.rewards.advantages import group_advantages


class RewardWorker:
    """Scores whole groups: reward terms in killable processes with a deadline, then the group's advantages.

    Args:
        config: the composition, the number of processes and the deadline of one response.
        advantage: raw or normalised advantages.
        search_path: extra import path of the scoring processes, where the user's plug-in lives.

    Raises:
        RewardError: the composition cannot be built (unknown rule, bad parameter, plug-in that does not import).
    """

    def __init__(self, config: RewardConfig, advantage: AdvantageConfig, search_path: str = "") -> None:
        self._advantage = advantage
        self._idle: SimpleQueue[ScoringProcess] = SimpleQueue()
        self._processes = [ScoringProcess(config, search_path) for _ in range(config.num_processes)]
        for process in self._processes:
            process.start()
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(config.num_processes, thread_name_prefix="score")
        self.masked: Counter[str] = Counter()

    def score(self, group: RolloutGroup) -> ScoredGroup:
        """Reward every response of `group` and compute the advantages over those that are not masked."""
        rewarded = tuple(self._threads.map(lambda response: self._score(group.sample, response), group.responses))
        self.masked.update(response.masked.split(":")[0] for response in rewarded if response.masked)
        advantages = group_advantages(
            [response.total for response in rewarded], [response.masked is not None for response in rewarded],
            self._advantage,
        )  # fmt: skip
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
        )

    def process_ids(self) -> list[int]:
        """Ids of the live scoring processes."""
        return [process.pid for process in self._processes if process.pid is not None]

    def close(self) -> None:
        """Kill every scoring process."""
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.close()

    def _score(self, sample: Sample, response: Response) -> RewardedResponse:
        process = self._idle.get()
        try:
            return process.score(sample, response.text, response.finish_reason)
        finally:
            self._idle.put(process)
