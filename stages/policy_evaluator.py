from collections.abc import Sequence
from pathlib import Path

from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample, SamplingParameters
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.stages.evaluation import Evaluation, answers_so_far, evaluate
from emocal_rl.stages.image_feed import ImageFeed


class PolicyEvaluator:
    """Evaluates the policy that rollout engines hold, and writes what it finds into a run directory.

    Args:
        config: how it is evaluated, and seeded.
        directory: the run.
        rollouts: the engines.
        oracle: what is known about the samples, if they are of the synthetic world.
        progress: told how far it is.
    """

    def __init__(
        self, config: Config, directory: RunDirectory, rollouts: RolloutPool, oracle: Oracle | None, progress: Progress
    ) -> None:
        self._config, self._directory, self._rollouts = config, directory, rollouts
        self._oracle, self._progress, self._feed = oracle, progress, ImageFeed(config.data)

    def test(self, moment: str, samples: Sequence[Sample]) -> None:
        """Evaluate as sampled and greedily, by the names of a moment; what an earlier attempt has asked stands."""
        sampling = self._config.evaluation.sampling
        decodings = {"sampled": sampling.temperature} | ({"greedy": 0.0} if self._config.evaluation.greedy else {})
        for decoding, temperature in decodings.items():
            name = f"{moment}_{decoding}"
            if not (self._directory.evaluations / f"{name}.json").exists():
                with answers_so_far(self._directory.evaluations, name) as journal:
                    self._evaluate(name, samples, temperature, journal)

    def validate(self, step: int, samples: Sequence[Sample]) -> Evaluation:
        """Evaluate on the validation set as sampled; from the beginning, since a resumed run trains up to it again."""
        temperature = self._config.evaluation.sampling.temperature
        return self._evaluate(f"validation-{step:06d}", samples, temperature)

    def _evaluate(
        self, name: str, samples: Sequence[Sample], temperature: float, journal: Path | None = None
    ) -> Evaluation:
        sampling = self._config.evaluation.sampling
        evaluation = evaluate(
            self._rollouts,
            samples,
            SamplingParameters(1, temperature, sampling.max_new_tokens, sampling.top_p, self._config.run.seed),
            self._feed,
            self._progress,
            name=name,
            oracle=self._oracle,
            num_bins=self._config.evaluation.num_bins,
            journal=journal,
        )
        evaluation.write(self._directory.evaluations)
        return evaluation
